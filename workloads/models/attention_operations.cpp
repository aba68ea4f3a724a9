// SPDX-License-Identifier: Apache-2.0
// The attention half of a layer: norm, attention, output projection, residual.
#include <algorithm>

#include "base/error.hpp"
#include "workloads/models/attention_parts.hpp"

namespace lacuna {

void mask_causally(Einsum& einsum, const GraphBuilder& b, std::uint64_t limit,
                   std::uint64_t per_pair) {
  CausalMask mask;
  mask.context = b.context;
  mask.limit = limit;
  for (std::uint32_t r = 0; r < einsum.ranks.size(); ++r) {
    if (einsum.ranks[r].name == "s") mask.query_rank = r;
    if (einsum.ranks[r].name == "t") mask.key_rank = r;
  }
  einsum.mask = mask;
  einsum.macs =
      checked_product({einsum.batch, causal_pairs(b.queries, b.context, limit), per_pair});
  LACUNA_CHECK(einsum.macs <= dense_macs(einsum), "{} of {} multiply-adds", einsum.macs,
               dense_macs(einsum));
}

void mask_heads(Einsum& einsum, const GraphBuilder& b, std::uint64_t heads,
                std::uint64_t per_pair) {
  mask_causally(einsum, b, 0, per_pair);
  if (b.lines.empty()) return;
  LACUNA_CHECK(b.lines.size() == heads && b.queries == b.context,
               "lines of {} heads for {}, {} queries of {} keys", b.lines.size(), heads, b.queries,
               b.context);
  auto& lines = einsum.mask->lines;
  std::uint64_t pairs = 0;  // of one sequence
  for (const sparsity::HeadLines& head : b.lines) {
    pairs += sparsity::kept_pairs(*head);
    const auto same =
        std::find_if(lines.begin(), lines.end(), [&](const auto& l) { return l.kept == head; });
    if (same != lines.end()) {
      same->instances += b.sequences;
    } else {
      lines.push_back({head, b.sequences});
    }
  }
  einsum.macs = checked_product({b.sequences, pairs, per_pair});
}

void make_cache(EinsumOperand& operand, std::uint32_t bits, Bits scales) {
  operand.kind = OperandKind::kCache;
  operand.bits = bits;
  operand.scale_bits = scales;
}

OperationId add_cache_append(GraphBuilder& b, const char* name, Role role,
                             std::uint64_t bits_per_token, std::uint64_t elements_read,
                             GraphBuilder::Inputs inputs) {
  Operation op;
  op.name = name;
  op.role = role;
  op.kind = OperationKind::kCacheAppend;
  op.activation_read_bytes = b.value_bytes(b.tokens * elements_read);
  op.cache_write_bytes = bytes_for(Bits(checked_product({b.tokens, bits_per_token})));
  return b.add(std::move(op), inputs);
}

OperationId add_softmax(GraphBuilder& b, GraphBuilder::Inputs scores, std::uint64_t elements,
                        std::uint64_t sinks) {
  Operation op;
  op.name = "softmax";
  op.role = Role::kSoftmax;
  op.kind = OperationKind::kSoftmax;
  op.activation_read_bytes = bytes_for(Bits(checked_product({elements, kScoreBits})));
  op.activation_write_bytes = b.value_bytes(elements);
  op.weight_elements = sinks;
  op.weight_bytes = b.plain_bytes(sinks);
  return b.add(std::move(op), scores);
}

namespace {

OperationId add_output(GraphBuilder& b, Stream in, OperationId context, std::uint64_t width,
                       bool bias) {
  const std::uint64_t h = b.spec.hidden;
  const OperationId out = b.linear("o_proj", Role::kOutput, b.tokens, width, h,
                                   b.spec.precision.attention, {context}, bias);
  const std::uint64_t elements = b.tokens * h;
  const OperationId sum = b.vector("attention_residual", Role::kAttentionVector,
                                   OperationKind::kElementwise, 2 * elements, elements, {out});
  if (in) b.connect(*in, sum, 2);
  return sum;
}

}  // namespace

OperationId add_attention(GraphBuilder& b, Stream in, std::uint64_t window) {
  const std::uint64_t elements = b.tokens * b.spec.hidden;
  const OperationId norm = b.vector("attention_norm", Role::kAttentionVector, OperationKind::kNorm,
                                    elements, elements, {}, b.spec.hidden);
  if (in) b.connect(*in, norm, 1);
  if (const LatentAttention* a = b.spec.latent()) {
    const OperationId context = add_latent(b, *a, norm);
    return add_output(b, in, context, a->heads * a->value_dim, a->bias);
  }
  const GroupedQueryAttention& a = *b.spec.grouped();
  const OperationId context = add_grouped_query(b, a, norm, window);
  return add_output(b, in, context, a.heads * a.head_dim, a.output_bias);
}

}  // namespace lacuna
