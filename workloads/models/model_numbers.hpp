// SPDX-License-Identifier: Apache-2.0
// Closed forms of a model: parameters, FLOPs and cache bytes. 1 multiply-add = 2 FLOP; norms, RoPE,
// softmax, activation functions, biases and the combine's additions count as none. Attention
// counts after DeepSeek-V2 (arXiv 2405.04434, section 2.1 and Table 1) and the published code of
// each family (DeepSeek-V3 and V3.2-Exp inference/model.py, gpt_oss/torch/model.py, transformers).
#pragma once

#include <cstdint>
#include <initializer_list>

#include "base/units.hpp"
#include "workloads/models/model_spec.hpp"

namespace lacuna {

/// Elements of the weights, over all main layers (multi-token prediction apart).
struct ParameterCounts {
  std::uint64_t embedding = 0;
  std::uint64_t head = 0;       // 0 when tied to the embedding
  std::uint64_t norms = 0;      // two per layer and the final one
  std::uint64_t attention = 0;  // projections, biases, sinks, the norms inside, the indexer
  std::uint64_t dense_ffn = 0;
  std::uint64_t router = 0;
  std::uint64_t routed_experts = 0;
  std::uint64_t shared_experts = 0;
  /// One multi-token prediction layer: a main MoE layer, and the projection that feeds it.
  std::uint64_t mtp_layer = 0;
  std::uint64_t mtp_projection = 0;

  std::uint64_t total = 0;
  std::uint64_t active = 0;  // k routed experts instead of all; input embedding included
  /// Without the input embedding, of which a token reads one row. A tied embedding stays: it is
  /// the head.
  std::uint64_t active_without_embedding = 0;
};

[[nodiscard]] ParameterCounts count_parameters(const ModelSpec& spec);
/// One layer's attention weights, the norms inside it included.
[[nodiscard]] std::uint64_t attention_parameters(const ModelSpec& spec);
/// One routed expert's three matrices, without biases: 3 h F.
[[nodiscard]] std::uint64_t expert_matrix_parameters(const ModelSpec& spec);

/// Cached elements per token and layer: MLA r + d_r, otherwise 2 K d. Index keys are apart.
[[nodiscard]] std::uint64_t cache_elements_per_layer(const ModelSpec& spec);
/// Main cache of all layers; window layers count in full (they stop growing at their window).
[[nodiscard]] Bytes kv_bytes_per_token(const ModelSpec& spec, std::uint64_t bits = 16);
/// Bytes the caches of all layers hold for a sequence of `tokens`: window layers keep their window.
[[nodiscard]] Bytes kv_bytes_of_sequence(const ModelSpec& spec, std::uint64_t tokens,
                                         std::uint64_t bits = 16);

/// 2 x every weight that meets a token in a GEMM; the MLA up-projections once (both forms alike).
[[nodiscard]] std::uint64_t gemm_flops_per_token(const ModelSpec& spec);
/// The attention projections' share of it, in one layer.
[[nodiscard]] std::uint64_t attention_gemm_flops(const ModelSpec& spec);

/// Naive (MHA-like, on expanded keys) or absorbed (MQA-like, on latents). Without effect on GQA.
enum class LatentForm { kNaive, kAbsorbed };

/// FLOPs of one (query, key) pair in one layer: 4 H d; naive 2H(d_n + d_r + d_v); absorbed
/// 2H(2r + d_r).
[[nodiscard]] std::uint64_t pair_flops(const ModelSpec& spec, LatentForm form);
/// FLOPs of one (query, key) pair in the sparse indexer: 2 H_I d_I, or 0.
[[nodiscard]] std::uint64_t index_pair_flops(const ModelSpec& spec);
/// One query against `keys` keys, all layers: min(keys, window) on window layers; with an indexer
/// min(keys, topk) keys in the absorbed form (naive masks: all keys) plus all index pairs.
[[nodiscard]] std::uint64_t attention_flops(const ModelSpec& spec, std::uint64_t keys,
                                            LatentForm form = LatentForm::kAbsorbed);

/// (query, key) pairs of the last `queries` of `keys` tokens under a causal mask, each query seeing
/// its `limit` newest keys at most (0: all): the sum of min(t, limit) over t = keys - queries + 1
/// .. keys. Without a limit: S T - S (S - 1) / 2. Needs queries <= keys.
[[nodiscard]] std::uint64_t causal_pairs(std::uint64_t queries, std::uint64_t keys,
                                         std::uint64_t limit = 0);

/// Query tokens per sequence below which absorbed beats naive with re-expansion of every cached
/// latent, for long contexts: r (d_n + d_v) / ((2r + d_r) - (d_n + d_r + d_v)). Infinite when
/// absorbed always wins.
[[nodiscard]] double absorbed_break_even(const LatentAttention& attention);

/// Expected experts that a step of `tokens` tokens touches under uniform independent routing:
/// E (1 - (1 - k/E)^B).
[[nodiscard]] double expected_distinct_experts(std::uint64_t experts, std::uint64_t per_token,
                                               std::uint64_t tokens);

/// The product, refused with an InputError when it needs more than 64 bits (an absurd workload).
[[nodiscard]] std::uint64_t checked_product(std::initializer_list<std::uint64_t> factors);
[[nodiscard]] std::uint64_t checked_sum(std::uint64_t a, std::uint64_t b);

}  // namespace lacuna
