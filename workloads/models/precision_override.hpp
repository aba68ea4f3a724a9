// SPDX-License-Identifier: Apache-2.0
// Another storage of a model's weights than its configuration file says.
#pragma once

#include <string>
#include <vector>

#include "workloads/models/model_spec.hpp"

namespace lacuna {

/// `text` is one format for attention, ffn and experts, or says it part by part:
/// "attention=fp8,experts=mxfp4". Embedding, head, router and norms stay as they are. Formats:
///   bf16   16 bits, no scales
///   fp8    e4m3, fp32 scales over 128 x 128 blocks, activations 8 bits with scales over 1 x 128
///          (published: DeepSeek-V3 inference/model.py)
///   int8   an fp32 scale for each output row, activations 8 bits with one for each token
///          (per-channel and per-token: LLM.int8, SmoothQuant; arXiv 2208.07339, 2211.10438)
///   int4   16-bit scales over 128 elements of a row, symmetric, activations 16 bits (the group
///          size that GPTQ and AWQ publish with; arXiv 2210.17323, 2306.00978)
///   mxfp4  8-bit scales over 32 elements of a row, activations 16 bits (OCP Microscaling v1.0)
/// Throws InputError (field "precision") for another part or format, and a part given twice.
/// Returns what the result should say.
[[nodiscard]] std::vector<std::string> override_precision(ModelSpec& spec, const std::string& text);

}  // namespace lacuna
