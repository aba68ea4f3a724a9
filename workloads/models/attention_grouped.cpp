// SPDX-License-Identifier: Apache-2.0
// MHA, GQA and MQA, over all keys or a sliding window.
#include <algorithm>

#include "workloads/models/attention_parts.hpp"

namespace lacuna {
namespace {

/// Keys of the cache that any query of the step can see.
std::uint64_t visible_keys(const GraphBuilder& b, std::uint64_t limit) {
  return limit == 0 ? b.context : std::min(b.context, b.queries + limit - 1);
}

struct Projected {
  OperationId query;
  OperationId cache;
};

Projected add_grouped_projections(GraphBuilder& b, const GroupedQueryAttention& a, OperationId norm,
                                  std::uint32_t cache_bits) {
  using QkNorm = GroupedQueryAttention::QkNorm;
  const std::uint64_t h = b.spec.hidden;
  const std::uint64_t q_width = a.heads * a.head_dim;
  const std::uint64_t kv_width = a.kv_heads * a.head_dim;
  const WeightFormat& format = b.spec.precision.attention;
  OperationId q =
      b.linear("q_proj", Role::kQuery, b.tokens, h, q_width, format, {norm}, a.qkv_bias);
  OperationId k = b.linear("k_proj", Role::kKey, b.tokens, h, kv_width, format, {norm}, a.qkv_bias);
  const OperationId v =
      b.linear("v_proj", Role::kValue, b.tokens, h, kv_width, format, {norm}, a.qkv_bias);
  if (a.qk_norm != QkNorm::kNone) {
    const bool per_head = a.qk_norm == QkNorm::kPerHead;
    q = b.vector("q_norm", Role::kAttentionVector, OperationKind::kNorm, b.tokens * q_width,
                 b.tokens * q_width, {q}, per_head ? a.head_dim : q_width);
    k = b.vector("k_norm", Role::kAttentionVector, OperationKind::kNorm, b.tokens * kv_width,
                 b.tokens * kv_width, {k}, per_head ? a.head_dim : kv_width);
  }
  const std::uint64_t rotated = b.tokens * (q_width + kv_width);
  const OperationId rope =
      b.vector("rope", Role::kAttentionVector, OperationKind::kRope, rotated, rotated, {q, k});
  return {rope, add_cache_append(b, "cache_append", Role::kAttentionVector,
                                 2 * kv_width * cache_bits, 2 * kv_width, {rope, v})};
}

/// The two products of the core: queries of a group of heads fold into the rows of one instance,
/// unless heads keep lines of their own.
struct CoreShape {
  std::uint64_t instances;
  const char* scores;
  const char* context;
  std::vector<Rank> folded;
};

CoreShape core_shape(const GraphBuilder& b, const GroupedQueryAttention& a) {
  if (!b.lines.empty()) {
    return {b.sequences * a.heads, "P[s,t] = Q[s,d] * K[t,d]", "O[s,d] = P[s,t] * V[t,d]", {}};
  }
  return {b.sequences * a.kv_heads,
          "P[g,s,t] = Q[g,s,d] * K[t,d]",
          "O[g,s,d] = P[g,s,t] * V[t,d]",
          {{"g", a.heads / a.kv_heads}}};
}

}  // namespace

OperationId add_grouped_query(GraphBuilder& b, const GroupedQueryAttention& a, OperationId norm,
                              std::uint64_t window) {
  const std::uint32_t cache_bits = b.step.cache == CacheFormat::kFp8 ? 8 : b.value_bits;
  const Projected projected = add_grouped_projections(b, a, norm, cache_bits);
  const std::uint64_t keys = visible_keys(b, window);
  const CoreShape shape = core_shape(b, a);
  const auto core = [&](const char* equation, std::vector<Rank> ranks) {
    ranks.insert(ranks.begin(), shape.folded.begin(), shape.folded.end());
    Einsum einsum = make_einsum(equation, ranks, shape.instances);
    einsum.operands[1].bits = b.value_bits;
    make_cache(einsum.operands[2], cache_bits);
    if (b.lines.empty()) {
      mask_causally(einsum, b, window, a.heads / a.kv_heads * a.head_dim);
    } else {
      mask_heads(einsum, b, a.heads, a.head_dim);
    }
    return einsum;
  };
  Einsum scores = core(shape.scores, {{"s", b.queries}, {"d", a.head_dim}, {"t", keys}});
  scores.operands[0].bits = kScoreBits;
  const std::uint64_t elements = total_elements(scores, 0);
  const OperationId scored =
      b.einsum("scores", Role::kScores, std::move(scores), {projected.query, projected.cache});
  const OperationId softmax = add_softmax(b, {scored}, elements, a.sinks ? a.heads : 0);
  Einsum context = core(shape.context, {{"s", b.queries}, {"t", keys}, {"d", a.head_dim}});
  context.operands[0].bits = b.value_bits;
  return b.einsum("context", Role::kValues, std::move(context), {softmax, projected.cache});
}

}  // namespace lacuna
