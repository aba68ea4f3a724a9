// SPDX-License-Identifier: Apache-2.0
// From a model and a step (prefill or decode of a batch) to the operations the step executes.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "workloads/models/model_numbers.hpp"
#include "workloads/models/model_spec.hpp"
#include "workloads/operation_graph.hpp"
#include "workloads/phase.hpp"
#include "workloads/sparsity_tables/vertical_slash.hpp"

namespace lacuna {

/// How MLA is executed. kAuto takes the form with fewer FLOPs: naive for prefill, absorbed for
/// decode and short chunks on long caches (see absorbed_break_even).
enum class AttentionForm { kAuto, kNaive, kAbsorbed };

/// kPlain: as activations (bf16). kFp8: MLA rows of e4m3 latents with one fp32 scale per 128 and
/// bf16 RoPE, 656 bytes for r = 512, d_r = 64 (published: FlashMLA README); GQA 8 bits unscaled.
enum class CacheFormat { kPlain, kFp8 };

/// Tokens routed to each expert of a layer; empty: uniform, as expected. Sizes must be E, no entry
/// above the step's tokens, the sum no more than k per token (less when tokens were dropped).
using TokensPerExpert = std::function<std::span<const std::uint32_t>(std::uint32_t layer)>;

/// Zero share of the input of each projection of a layer, in the order of sparsity::Projection;
/// empty: none measured.
using ActivationZeros = std::function<std::span<const double>(std::uint32_t layer)>;

/// The lines that each query head of a layer keeps in prefill; empty: the whole triangle.
using AttentionLines = std::function<std::span<const sparsity::HeadLines>(std::uint32_t layer)>;

struct LayerRange {
  std::uint32_t first = 0;
  std::uint32_t last = 0;  // included
};

struct Step {
  Phase phase = Phase::kDecode;
  std::uint64_t batch = 1;       // sequences
  std::uint64_t context = 4096;  // keys visible to the last new token, itself included
  std::uint64_t new_tokens = 0;  // per sequence; 0: one in decode, the whole context in prefill
  AttentionForm form = AttentionForm::kAuto;
  CacheFormat cache = CacheFormat::kPlain;
  /// Naive MLA on a cache of expanded keys and values (as DeepSeek's own naive code keeps it)
  /// instead of latents that are all expanded again in every step.
  bool expanded_cache = false;
  /// Only these layers, without embedding and head.
  std::optional<LayerRange> layers;
  TokensPerExpert tokens_per_expert;
  ActivationZeros activation_zeros;
  /// For a prefill of all its keys, with attention that has keys for each head (not absorbed, no
  /// indexer); layers with a window keep their window.
  AttentionLines attention_lines;
  /// The head runs for the last new token of each sequence only, as a prefill needs.
  bool last_token_logits = false;
  /// Bits per element of tokens on their way to and from the experts (published: FP8 and BF16 in
  /// DeepSeek's service, open-infra-index day 6).
  std::uint32_t dispatch_bits = 8;
  std::uint32_t combine_bits = 16;
};

/// New tokens per sequence after defaults. Throws InputError (fields "batch", "context",
/// "new_tokens", "layers") when the step makes no sense for the model.
[[nodiscard]] std::uint64_t checked_new_tokens(const ModelSpec& spec, const Step& step);

/// The form an MLA layer takes in the step; kAbsorbed for other attention, where it means nothing.
[[nodiscard]] LatentForm form_of(const ModelSpec& spec, const Step& step);

/// Every operation of the step. Layers alike in kind, window and routed counts share one block.
[[nodiscard]] OperationGraph build_graph(const ModelSpec& spec, const Step& step);

}  // namespace lacuna
