// SPDX-License-Identifier: Apache-2.0
#include "workloads/models/model_numbers.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.hpp"

namespace lacuna {
namespace {

/// Weights of one layer's attention that meet a token in a GEMM, and those that do not.
struct AttentionWeights {
  std::uint64_t matrices = 0;
  std::uint64_t vectors = 0;  // norms, biases, sinks
};

AttentionWeights weights_of(const GroupedQueryAttention& a, std::uint64_t h) {
  const std::uint64_t q = a.heads * a.head_dim;
  const std::uint64_t kv = a.kv_heads * a.head_dim;
  AttentionWeights out;
  out.matrices = 2 * h * q + 2 * h * kv;
  if (a.qkv_bias) out.vectors += q + 2 * kv;
  if (a.output_bias) out.vectors += h;
  if (a.sinks) out.vectors += a.heads;
  if (a.qk_norm == GroupedQueryAttention::QkNorm::kPerHead) out.vectors += 2 * a.head_dim;
  if (a.qk_norm == GroupedQueryAttention::QkNorm::kFullWidth) out.vectors += q + kv;
  return out;
}

AttentionWeights weights_of(const LatentAttention& a, std::uint64_t h) {
  const std::uint64_t q_width = a.heads * (a.nope_dim + a.rope_dim);
  AttentionWeights out;
  out.matrices = a.q_rank == 0 ? h * q_width : h * a.q_rank + a.q_rank * q_width;
  out.matrices += h * (a.kv_rank + a.rope_dim);
  out.matrices += a.kv_rank * a.heads * (a.nope_dim + a.value_dim);
  out.matrices += a.heads * a.value_dim * h;
  out.vectors = a.q_rank + a.kv_rank;
  // The published class gives attention_bias to both down-projections and the output.
  if (a.bias) out.vectors += a.q_rank + a.kv_rank + a.rope_dim + h;
  if (a.indexer) {
    const SparseIndexer& i = *a.indexer;
    out.matrices += a.q_rank * i.heads * i.head_dim + h * i.head_dim + h * i.heads;
    out.vectors += 2 * i.head_dim;  // LayerNorm: weight and bias
  }
  return out;
}

AttentionWeights attention_weights(const ModelSpec& spec) {
  return std::visit([&](const auto& a) { return weights_of(a, spec.hidden); }, spec.attention);
}

std::uint64_t moe_layer_count(const ModelSpec& spec) {
  return static_cast<std::uint64_t>(std::count_if(spec.layers.begin(), spec.layers.end(),
                                                  [](const LayerSpec& l) { return l.moe; }));
}

std::uint64_t router_parameters(const ModelSpec& spec) {
  const RoutingRule& rule = spec.moe.routing;
  const bool bias = rule.selection_bias || rule.logit_bias;
  return rule.experts * spec.hidden + (bias ? rule.experts : 0);
}

std::uint64_t expert_parameters(const ModelSpec& spec) {
  const std::uint64_t biases = spec.moe.expert_bias ? 2 * spec.moe.expert_width + spec.hidden : 0;
  return expert_matrix_parameters(spec) + biases;
}

std::uint64_t shared_parameters(const ModelSpec& spec) {
  return 3 * spec.hidden * spec.moe.shared_width + (spec.moe.shared_gate ? spec.hidden : 0);
}

}  // namespace

std::uint64_t attention_parameters(const ModelSpec& spec) {
  const AttentionWeights weights = attention_weights(spec);
  return weights.matrices + weights.vectors;
}

std::uint64_t expert_matrix_parameters(const ModelSpec& spec) {
  return 3 * spec.hidden * spec.moe.expert_width;
}

ParameterCounts count_parameters(const ModelSpec& spec) {
  const std::uint64_t layers = spec.layers.size();
  const std::uint64_t moe = moe_layer_count(spec);
  const std::uint64_t h = spec.hidden;
  ParameterCounts out;
  out.embedding = spec.vocabulary * h;
  out.head = spec.tied_embeddings ? 0 : out.embedding;
  out.norms = (2 * layers + 1) * h;
  out.attention = layers * attention_parameters(spec);
  out.dense_ffn = (layers - moe) * 3 * h * spec.dense_width;
  out.router = moe * router_parameters(spec);
  out.routed_experts = moe * spec.moe.routing.experts * expert_parameters(spec);
  out.shared_experts = moe * shared_parameters(spec);
  out.mtp_layer = attention_parameters(spec) + 2 * h + router_parameters(spec) +
                  spec.moe.routing.experts * expert_parameters(spec) + shared_parameters(spec);
  out.mtp_projection = 2 * h * h;
  if (spec.mtp_layers == 0) out.mtp_layer = out.mtp_projection = 0;
  out.total = out.embedding + out.head + out.norms + out.attention + out.dense_ffn + out.router +
              out.routed_experts + out.shared_experts;
  out.active = out.total - out.routed_experts +
               moe * spec.moe.routing.experts_per_token * expert_parameters(spec);
  out.active_without_embedding = out.active - (spec.tied_embeddings ? 0 : out.embedding);
  return out;
}

std::uint64_t cache_elements_per_layer(const ModelSpec& spec) {
  if (const auto* a = spec.latent()) return a->kv_rank + a->rope_dim;
  const auto* a = spec.grouped();
  return 2 * a->kv_heads * a->head_dim;
}

Bytes kv_bytes_per_token(const ModelSpec& spec, std::uint64_t bits) {
  return bytes_for(Bits(cache_elements_per_layer(spec) * spec.layers.size() * bits));
}

Bytes kv_bytes_of_sequence(const ModelSpec& spec, std::uint64_t tokens, std::uint64_t bits) {
  std::uint64_t rows = 0;
  for (const LayerSpec& layer : spec.layers) {
    rows = checked_sum(rows, layer.window == 0 ? tokens : std::min(tokens, layer.window));
  }
  return bytes_for(Bits(checked_product({rows, cache_elements_per_layer(spec), bits})));
}

std::uint64_t attention_gemm_flops(const ModelSpec& spec) {
  return 2 * attention_weights(spec).matrices;
}

std::uint64_t gemm_flops_per_token(const ModelSpec& spec) {
  const std::uint64_t layers = spec.layers.size();
  const std::uint64_t moe = moe_layer_count(spec);
  const std::uint64_t h = spec.hidden;
  const std::uint64_t per_moe_layer =
      h * spec.moe.routing.experts + shared_parameters(spec) +
      spec.moe.routing.experts_per_token * expert_matrix_parameters(spec);
  return 2 * (h * spec.vocabulary + layers * attention_weights(spec).matrices +
              (layers - moe) * 3 * h * spec.dense_width + moe * per_moe_layer);
}

std::uint64_t pair_flops(const ModelSpec& spec, LatentForm form) {
  if (const auto* a = spec.grouped()) return 4 * a->heads * a->head_dim;
  const auto* a = spec.latent();
  return form == LatentForm::kNaive ? 2 * a->heads * (a->nope_dim + a->rope_dim + a->value_dim)
                                    : 2 * a->heads * (2 * a->kv_rank + a->rope_dim);
}

std::uint64_t index_pair_flops(const ModelSpec& spec) {
  const auto* a = spec.latent();
  if (a == nullptr || !a->indexer) return 0;
  return 2 * a->indexer->heads * a->indexer->head_dim;
}

std::uint64_t attention_flops(const ModelSpec& spec, std::uint64_t keys, LatentForm form) {
  std::uint64_t topk = 0;
  if (const auto* a = spec.latent(); a != nullptr && a->indexer && form == LatentForm::kAbsorbed) {
    topk = a->indexer->topk;
  }
  std::uint64_t pairs = 0;
  for (const LayerSpec& layer : spec.layers) {
    const std::uint64_t limit = layer.window != 0 ? layer.window : topk;
    pairs = checked_sum(pairs, limit == 0 ? keys : std::min(keys, limit));
  }
  const std::uint64_t index = checked_product({spec.layers.size(), keys, index_pair_flops(spec)});
  return checked_sum(checked_product({pairs, pair_flops(spec, form)}), index);
}

std::uint64_t causal_pairs(std::uint64_t queries, std::uint64_t keys, std::uint64_t limit) {
  LACUNA_CHECK(queries <= keys, "{} queries among {} keys", queries, keys);
  if (queries == 0) return 0;
  const std::uint64_t first = keys - queries + 1;  // keys the first query sees
  // Queries that see fewer than `limit` keys see first, first + 1, ...; the others see limit.
  const std::uint64_t last_growing = limit == 0 ? keys : std::min(keys, limit);
  if (first > last_growing) return checked_product({queries, limit});
  const std::uint64_t growing = last_growing - first + 1;
  // One of the two factors of the arithmetic series is even; halve that one first.
  const std::uint64_t ends = first + last_growing;
  const std::uint64_t series = growing % 2 == 0 ? checked_product({growing / 2, ends})
                                                : checked_product({growing, ends / 2});
  const std::uint64_t saturated = queries - growing;
  return saturated == 0 ? series : checked_sum(series, checked_product({saturated, limit}));
}

double absorbed_break_even(const LatentAttention& a) {
  const auto absorbed = static_cast<double>(2 * a.kv_rank + a.rope_dim);
  const auto naive = static_cast<double>(a.nope_dim + a.rope_dim + a.value_dim);
  if (absorbed <= naive) return std::numeric_limits<double>::infinity();
  return static_cast<double>(a.kv_rank * (a.nope_dim + a.value_dim)) / (absorbed - naive);
}

double expected_distinct_experts(std::uint64_t experts, std::uint64_t per_token,
                                 std::uint64_t tokens) {
  LACUNA_CHECK(per_token <= experts && experts > 0, "{} of {} experts", per_token, experts);
  const double share = static_cast<double>(per_token) / static_cast<double>(experts);
  if (share == 1.0) return tokens == 0 ? 0.0 : static_cast<double>(experts);
  // 1 - (1 - share)^B without cancellation.
  return -static_cast<double>(experts) *
         std::expm1(static_cast<double>(tokens) * std::log1p(-share));
}

std::uint64_t checked_product(std::initializer_list<std::uint64_t> factors) {
  std::uint64_t product = 1;
  for (const std::uint64_t factor : factors) {
    if (__builtin_mul_overflow(product, factor, &product)) {
      throw InputError("the workload has more than 2^64 elements or operations",
                       "use a smaller batch or context");
    }
  }
  return product;
}

std::uint64_t checked_sum(std::uint64_t a, std::uint64_t b) {
  std::uint64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) {
    throw InputError("the workload has more than 2^64 elements or operations",
                     "use a smaller batch or context");
  }
  return sum;
}

}  // namespace lacuna
