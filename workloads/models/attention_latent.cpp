// SPDX-License-Identifier: Apache-2.0
// MLA, naive and absorbed, and its sparse index: after DeepSeek-V3 inference/model.py, class MLA,
// and DeepSeek-V3.2-Exp inference/model.py, class Indexer.
#include <algorithm>

#include "workloads/models/attention_parts.hpp"

namespace lacuna {
namespace {

constexpr std::uint32_t kScaleBits = 32;
constexpr std::uint64_t kScaledElements = 128;  // cached elements that share one scale

/// Storage of one token's latent, of its RoPE key, and of the scales in between.
struct LatentRow {
  std::uint32_t latent_bits;
  std::uint32_t rope_bits;
  std::uint64_t scale_bits;
};

LatentRow latent_row(const GraphBuilder& b, const LatentAttention& a) {
  if (b.step.cache == CacheFormat::kPlain) return {b.value_bits, b.value_bits, 0};
  return {8, 16, ceil_div(a.kv_rank, kScaledElements) * kScaleBits};
}

struct LatentInputs {
  OperationId compressed_query;  // after its norm; the layer's norm when there is none
  OperationId rope;              // rotated query and key parts
  OperationId query;             // all of the query, unrotated
  OperationId latent;            // normalised
};

LatentInputs add_latent_projections(GraphBuilder& b, const LatentAttention& a, OperationId norm) {
  const std::uint64_t h = b.spec.hidden;
  const std::uint64_t q_width = a.heads * (a.nope_dim + a.rope_dim);
  const WeightFormat& format = b.spec.precision.attention;
  LatentInputs out{norm, norm, norm, norm};
  if (a.q_rank == 0) {
    out.query = b.linear("q_proj", Role::kQuery, b.tokens, h, q_width, format, {norm});
  } else {
    const OperationId down =
        b.linear("q_down", Role::kQueryDown, b.tokens, h, a.q_rank, format, {norm}, a.bias);
    const std::uint64_t elements = b.tokens * a.q_rank;
    out.compressed_query = b.vector("q_norm", Role::kAttentionVector, OperationKind::kNorm,
                                    elements, elements, {down}, a.q_rank);
    out.query = b.linear("q_up", Role::kQueryUp, b.tokens, a.q_rank, q_width, format,
                         {out.compressed_query});
  }
  const OperationId down = b.linear("kv_down", Role::kLatentDown, b.tokens, h,
                                    a.kv_rank + a.rope_dim, format, {norm}, a.bias);
  const std::uint64_t latents = b.tokens * a.kv_rank;
  out.latent = b.vector("kv_norm", Role::kAttentionVector, OperationKind::kNorm, latents, latents,
                        {down}, a.kv_rank);
  const std::uint64_t rotated = b.tokens * (a.heads + 1) * a.rope_dim;
  out.rope = b.vector("rope", Role::kAttentionVector, OperationKind::kRope, rotated, rotated,
                      {out.query, down});
  return out;
}

/// The indexer scores every visible key and keeps the best `topk` of each query. Its caches are
/// fp8 with one scale per 128 elements, 132 bytes for d_I = 128 (published: flashinfer-bench
/// dsa-paged; DeepSeek-V3.2-Exp inference/model.py).
OperationId add_indexer(GraphBuilder& b, const SparseIndexer& i, std::uint64_t q_rank,
                        OperationId norm, OperationId compressed_query) {
  const std::uint64_t h = b.spec.hidden;
  const WeightFormat& format = b.spec.precision.attention;
  const OperationId q = b.linear("index_q", Role::kIndexProjection, b.tokens, q_rank,
                                 i.heads * i.head_dim, format, {compressed_query});
  const OperationId k =
      b.linear("index_k", Role::kIndexProjection, b.tokens, h, i.head_dim, format, {norm});
  const std::uint64_t key_elements = b.tokens * i.head_dim;
  const OperationId k_norm = b.vector("index_k_norm", Role::kIndexVector, OperationKind::kNorm,
                                      key_elements, key_elements, {k}, 2 * i.head_dim);
  const OperationId weights = b.linear("index_weights", Role::kIndexProjection, b.tokens, h,
                                       i.heads, b.spec.precision.plain, {norm});
  const std::uint64_t rotated = b.tokens * (i.heads + 1) * i.head_dim;
  const OperationId rope = b.vector("index_rope", Role::kIndexVector, OperationKind::kRope, rotated,
                                    rotated, {q, k_norm});
  const std::uint64_t row_scales = ceil_div(i.head_dim, kScaledElements) * kScaleBits;
  const OperationId cache = add_cache_append(b, "index_cache_append", Role::kIndexVector,
                                             i.head_dim * 8 + row_scales, i.head_dim, {rope});
  Einsum scores = make_einsum(
      "I[j,s,t] = Q[j,s,d] * K[t,d]",
      {{"j", i.heads}, {"s", b.queries}, {"d", i.head_dim}, {"t", b.context}}, b.sequences);
  scores.operands[0].bits = kScoreBits;
  scores.operands[1].bits = 8;
  scores.operands[1].scale_bits = Bits(i.heads * b.queries * row_scales);
  make_cache(scores.operands[2], 8, Bits(b.context * row_scales));
  mask_causally(scores, b, 0, i.heads * i.head_dim);
  const OperationId scored =
      b.einsum("index_scores", Role::kIndexScores, std::move(scores), {rope, cache});
  const std::uint64_t pairs = checked_product({b.tokens, b.context});
  const OperationId sum = b.vector("index_sum", Role::kIndexVector, OperationKind::kElementwise,
                                   checked_product({pairs, i.heads}), pairs, {scored, weights});
  Operation topk;
  topk.name = "index_topk";
  topk.role = Role::kIndexVector;
  topk.kind = OperationKind::kTopK;
  topk.activation_read_bytes = b.value_bytes(pairs);
  topk.index_bytes =
      Bytes(4 * b.sequences * causal_pairs(b.queries, b.context, i.topk));  // int32 positions
  return b.add(std::move(topk), {sum});
}

/// H independent products of [tokens, in] by [in, out]: one of kv_b_proj's halves.
OperationId add_per_head(GraphBuilder& b, const char* name, Role role, std::uint64_t heads,
                         std::uint64_t in, std::uint64_t out, OperationId input) {
  const WeightFormat& format = b.spec.precision.attention;
  Einsum einsum =
      make_einsum("Z[m,n] = A[m,k] * B[k,n]", {{"m", b.tokens}, {"k", in}, {"n", out}}, heads);
  einsum.operands[0].bits = b.value_bits;
  GraphBuilder::match_activation(einsum.operands[1], format, b.tokens, in);
  GraphBuilder::make_weight(einsum, 2, format, out, in);
  return b.einsum(name, role, std::move(einsum), {input});
}

/// One of the three products of the absorbed core. Dense: an instance per sequence, all its new
/// tokens against the visible keys. Sparse: an instance per query, whose gathered rows all heads
/// share.
OperationId add_latent_core(GraphBuilder& b, const LatentAttention& a, const char* name,
                            std::uint64_t width, bool reduces_keys, std::uint32_t bits,
                            std::uint64_t row_scales, bool resident, GraphBuilder::Inputs inputs) {
  const bool sparse = a.indexer.has_value();
  const std::uint64_t topk = sparse ? a.indexer->topk : 0;
  const std::uint64_t keys = sparse ? std::min(topk, b.context) : b.context;
  const std::uint64_t instances = sparse ? b.tokens : b.sequences;
  const char* equation =
      sparse ? (reduces_keys ? "O[h,c] = P[h,t] * C[t,c]" : "P[h,t] = Q[h,c] * C[t,c]")
             : (reduces_keys ? "O[h,s,c] = P[h,s,t] * C[t,c]" : "P[h,s,t] = Q[h,s,c] * C[t,c]");
  std::vector<Rank> ranks{{"h", a.heads}, {"t", keys}, {"c", width}};
  if (!sparse) ranks.insert(ranks.begin() + 1, {"s", b.queries});
  Einsum einsum = make_einsum(equation, ranks, instances);
  einsum.operands[0].bits = reduces_keys ? b.value_bits : kScoreBits;
  einsum.operands[1].bits = b.value_bits;
  make_cache(einsum.operands[2], bits, Bits(keys * row_scales));
  einsum.operands[2].resident = resident;
  const std::uint64_t pairs =
      checked_product({b.sequences, causal_pairs(b.queries, b.context, topk)});
  if (!sparse) {
    mask_causally(einsum, b, 0, a.heads * width);
    return b.einsum(name, reduces_keys ? Role::kValues : Role::kScores, std::move(einsum), inputs);
  }
  einsum.macs = checked_product({pairs, a.heads, width});
  const OperationId id =
      b.einsum(name, reduces_keys ? Role::kValues : Role::kScores, std::move(einsum), inputs);
  // Early queries of a prefill gather fewer rows than the rank has room for.
  if (!resident) {
    b.at(id).cache_read_bytes =
        bytes_for(Bits(checked_product({pairs, width * bits + row_scales})));
  }
  return id;
}

OperationId add_absorbed(GraphBuilder& b, const LatentAttention& a, const LatentInputs& inputs,
                         OperationId cache, Stream selected) {
  const LatentRow row = latent_row(b, a);
  const OperationId absorbed =
      add_per_head(b, "q_absorb", Role::kQueryAbsorb, a.heads, a.nope_dim, a.kv_rank, inputs.query);
  const OperationId latent_scores =
      add_latent_core(b, a, "scores_latent", a.kv_rank, false, row.latent_bits, row.scale_bits,
                      false, {absorbed, cache});
  const OperationId rope_scores = add_latent_core(b, a, "scores_rope", a.rope_dim, false,
                                                  row.rope_bits, 0, false, {inputs.rope, cache});
  if (selected) {
    for (const OperationId id : {latent_scores, rope_scores}) {
      b.connect(*selected, id, std::nullopt);
    }
  }
  const std::uint64_t topk = a.indexer ? a.indexer->topk : 0;
  const std::uint64_t pairs =
      checked_product({b.sequences, causal_pairs(b.queries, b.context, topk), a.heads});
  const OperationId softmax = add_softmax(b, {latent_scores, rope_scores}, pairs);
  const OperationId context = add_latent_core(b, a, "context", a.kv_rank, true, row.latent_bits,
                                              row.scale_bits, true, {softmax});
  return add_per_head(b, "v_up", Role::kValueUp, a.heads, a.kv_rank, a.value_dim, context);
}

/// Expands latents to a key and a value per head. From the cache all of the context is expanded
/// again, unless the cache holds expanded rows or all keys are new.
OperationId add_expansion(GraphBuilder& b, const LatentAttention& a, const LatentInputs& inputs,
                          OperationId cache) {
  const LatentRow row = latent_row(b, a);
  const WeightFormat& format = b.spec.precision.attention;
  const bool again = !b.step.expanded_cache && b.queries < b.context;
  const std::uint64_t rows = b.sequences * (again ? b.context : b.queries);
  const std::uint64_t width = a.heads * (a.nope_dim + a.value_dim);
  Einsum up =
      make_einsum("Z[m,n] = A[m,k] * B[k,n]", {{"m", rows}, {"k", a.kv_rank}, {"n", width}});
  up.operands[0].bits = b.value_bits;
  if (again) {
    make_cache(up.operands[1], row.latent_bits, Bits(checked_product({rows, row.scale_bits})));
  } else {
    GraphBuilder::match_activation(up.operands[1], format, rows, a.kv_rank);
  }
  GraphBuilder::make_weight(up, 2, format, width, a.kv_rank);
  const OperationId source = again ? cache : inputs.latent;
  const OperationId expanded = b.einsum("kv_up", Role::kLatentUp, std::move(up), {source});
  const OperationId keys =
      b.vector("key_concat", Role::kLatentKeys, OperationKind::kElementwise,
               rows * (a.heads * a.nope_dim + (again ? 0 : a.rope_dim)),
               rows * a.heads * (a.nope_dim + a.rope_dim), {expanded, inputs.rope});
  if (again) {
    b.at(keys).cache_read_bytes =
        bytes_for(Bits(checked_product({rows, a.rope_dim, row.rope_bits})));
  }
  return keys;
}

OperationId add_naive(GraphBuilder& b, const LatentAttention& a, OperationId query,
                      OperationId keys, Stream selected) {
  const std::uint64_t key_dim = a.nope_dim + a.rope_dim;
  const std::uint64_t instances = b.sequences * a.heads;
  const auto source = [&](EinsumOperand& operand) {
    operand.bits = b.value_bits;
    if (b.step.expanded_cache) operand.kind = OperandKind::kCache;
  };
  Einsum scores = make_einsum("P[s,t] = Q[s,d] * K[t,d]",
                              {{"s", b.queries}, {"d", key_dim}, {"t", b.context}}, instances);
  scores.operands[0].bits = kScoreBits;
  scores.operands[1].bits = b.value_bits;
  source(scores.operands[2]);
  mask_heads(scores, b, a.heads, key_dim);
  const std::uint64_t elements = total_elements(scores, 0);
  const OperationId scored = b.einsum("scores", Role::kScores, std::move(scores), {query, keys});
  const OperationId softmax = add_softmax(b, {scored}, elements);
  // With an indexer the naive form masks what was not selected and computes it all the same.
  if (selected) b.connect(*selected, softmax, std::nullopt);
  Einsum context = make_einsum("O[s,d] = P[s,t] * V[t,d]",
                               {{"s", b.queries}, {"t", b.context}, {"d", a.value_dim}}, instances);
  context.operands[0].bits = context.operands[1].bits = b.value_bits;
  source(context.operands[2]);
  mask_heads(context, b, a.heads, a.value_dim);
  return b.einsum("context", Role::kValues, std::move(context), {softmax, keys});
}

}  // namespace

OperationId add_latent(GraphBuilder& b, const LatentAttention& a, OperationId norm) {
  const LatentInputs inputs = add_latent_projections(b, a, norm);
  Stream selected;
  if (a.indexer) {
    selected = add_indexer(b, *a.indexer, a.q_rank, norm, inputs.compressed_query);
  }
  const LatentRow row = latent_row(b, a);
  const std::uint64_t latent_bits =
      a.kv_rank * row.latent_bits + row.scale_bits + a.rope_dim * row.rope_bits;
  OperationId out{};
  if (b.form == LatentForm::kAbsorbed) {
    const OperationId cache =
        add_cache_append(b, "cache_append", Role::kAttentionVector, latent_bits,
                         a.kv_rank + a.rope_dim, {inputs.latent, inputs.rope});
    out = add_absorbed(b, a, inputs, cache, selected);
  } else if (b.step.expanded_cache) {
    const std::uint64_t width = a.heads * (a.nope_dim + a.rope_dim + a.value_dim);
    const OperationId keys = add_expansion(b, a, inputs, inputs.latent);
    const OperationId cache = add_cache_append(b, "cache_append", Role::kAttentionVector,
                                               width * b.value_bits, width, {keys});
    out = add_naive(b, a, inputs.rope, cache, selected);
  } else {
    const OperationId cache =
        add_cache_append(b, "cache_append", Role::kAttentionVector, latent_bits,
                         a.kv_rank + a.rope_dim, {inputs.latent, inputs.rope});
    out = add_naive(b, a, inputs.rope, add_expansion(b, a, inputs, cache), selected);
  }
  return out;
}

}  // namespace lacuna
