// SPDX-License-Identifier: Apache-2.0
// Model configurations: the Hugging Face `config.json` of DeepSeek V2/V3/V3.2 (and models with the
// same keys), Mixtral, OLMoE, Qwen2/3-MoE and gpt-oss, and DeepSeek's own inference spelling.
#pragma once

#include <filesystem>
#include <string>

#include "workloads/models/model_spec.hpp"

namespace lacuna {

/// Reads a configuration file, or `config.json` of a folder. The keys decide, not the name alone:
/// `kv_lora_rank` makes the attention MLA, `index_topk` makes it sparse. Throws InputError with the
/// file, line and key for JSON that does not parse, missing keys, wrong types, values out of range
/// or at odds with each other, and for a family or attention that is not understood.
[[nodiscard]] ModelSpec load_model(const std::filesystem::path& path);

/// The same from text; `file` names it in messages.
[[nodiscard]] ModelSpec parse_model(const std::string& text, const std::string& file);

}  // namespace lacuna
