// SPDX-License-Identifier: Apache-2.0
// The feed-forward half of a layer: dense SwiGLU, or router, dispatch, grouped expert GEMMs, shared
// experts and combine (DeepSeek-V3 inference/model.py, classes Gate and MoE; transformers and
// gpt_oss for the other families).
#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.hpp"
#include "workloads/models/graph_builder.hpp"

namespace lacuna {
namespace {

OperationId add_norm(GraphBuilder& b, Role role, OperationId in) {
  const std::uint64_t elements = b.tokens * b.spec.hidden;
  return b.vector("ffn_norm", role, OperationKind::kNorm, elements, elements, {in}, b.spec.hidden);
}

struct MlpRoles {
  Role gate, up, down, vector;
};
constexpr MlpRoles kDense{Role::kDenseGate, Role::kDenseUp, Role::kDenseDown, Role::kDenseVector};
constexpr MlpRoles kShared{Role::kSharedGate, Role::kSharedUp, Role::kSharedDown,
                           Role::kSharedVector};

/// gate, up, SwiGLU, down of one MLP for every token.
OperationId add_mlp(GraphBuilder& b, const std::string& prefix, const MlpRoles& roles,
                    std::uint64_t width, OperationId in) {
  const std::uint64_t h = b.spec.hidden;
  const WeightFormat& format = b.spec.precision.ffn;
  const OperationId gate = b.linear(prefix + "gate", roles.gate, b.tokens, h, width, format, {in});
  const OperationId up = b.linear(prefix + "up", roles.up, b.tokens, h, width, format, {in});
  const OperationId act = b.vector(prefix + "activation", roles.vector, OperationKind::kActivation,
                                   2 * b.tokens * width, b.tokens * width, {gate, up});
  return b.linear(prefix + "down", roles.down, b.tokens, width, h, format, {act});
}

/// One of the three grouped GEMMs: an independent product per expert with its own rows.
OperationId add_grouped(GraphBuilder& b, const std::string& name, Role role, std::uint64_t in,
                        std::uint64_t out, const std::vector<std::uint32_t>& rows, double touched,
                        OperationId input) {
  const WeightFormat& format = b.spec.precision.experts;
  Einsum grouped =
      make_einsum("Z[m,n] = A[m,k] * B[k,n]", {{"m", 1}, {"k", in}, {"n", out}}, rows.size());
  set_rows_per_instance(grouped, rows);
  grouped.operands[0].bits = b.value_bits;
  grouped.operands[1].bits = format.activation_bits;
  GraphBuilder::make_weight(grouped, 2, format, out, in);
  const std::uint64_t bias = b.spec.moe.expert_bias ? out : 0;
  const std::uint64_t elements = instance_elements(grouped, 2) + bias;
  const double bits = static_cast<double>(instance_elements(grouped, 2)) * format.bits +
                      static_cast<double>(grouped.operands[2].scale_bits.count()) +
                      static_cast<double>(bias) * b.spec.precision.plain.bits;
  const OperationId id = b.einsum(name, role, std::move(grouped), {input});
  // Exact for counted experts; otherwise the expectation, which need not be whole.
  b.at(id).weight_elements =
      static_cast<std::uint64_t>(std::llround(touched * static_cast<double>(elements)));
  b.at(id).weight_bytes = Bytes(static_cast<std::uint64_t>(std::llround(touched * bits / 8.0)));
  if (format.activation_block != 0) {
    const std::uint64_t copies = std::accumulate(rows.begin(), rows.end(), std::uint64_t{0});
    b.at(id).activation_read_bytes +=
        bytes_for(Bits(copies * ceil_div(in, format.activation_block) * format.scale_bits));
  }
  return id;
}

/// Router logits, the choice of k experts, and their weights.
OperationId add_router(GraphBuilder& b, OperationId in) {
  const RoutingRule& rule = b.spec.moe.routing;
  const OperationId logits = b.linear("router", Role::kRouterLogits, b.tokens, b.spec.hidden,
                                      rule.experts, b.spec.precision.plain, {in}, rule.logit_bias);
  const std::uint64_t scores = b.tokens * rule.experts;
  const OperationId scored =
      b.vector("router_score", Role::kRouterVector, OperationKind::kRouter, scores, scores,
               {logits}, rule.selection_bias ? rule.experts : 0);
  Operation topk;
  topk.name = "router_topk";
  topk.role = Role::kRouterVector;
  topk.kind = OperationKind::kTopK;
  topk.activation_read_bytes = b.value_bytes(scores);
  topk.activation_write_bytes = b.value_bytes(b.tokens * rule.experts_per_token);
  topk.index_bytes = Bytes(4 * b.tokens * rule.experts_per_token);  // int32 expert ids
  return b.add(std::move(topk), {scored});
}

/// The exchange of `copies` token rows at the given width.
OperationId add_exchange(GraphBuilder& b, const char* name, OperationKind kind,
                         std::uint64_t elements_read, std::uint64_t elements_written,
                         std::uint32_t bits, GraphBuilder::Inputs inputs) {
  Operation op;
  op.name = name;
  op.role = kind == OperationKind::kDispatch ? Role::kDispatch : Role::kCombine;
  op.kind = kind;
  op.activation_read_bytes = kind == OperationKind::kCombine
                                 ? bytes_for(Bits(checked_product({elements_read, bits})))
                                 : b.value_bytes(elements_read);
  op.activation_write_bytes = kind == OperationKind::kDispatch
                                  ? bytes_for(Bits(checked_product({elements_written, bits})))
                                  : b.value_bytes(elements_written);
  return b.add(std::move(op), inputs);
}

OperationId add_shared(GraphBuilder& b, OperationId in) {
  const OperationId shared = add_mlp(b, "shared_", kShared, b.spec.moe.shared_width, in);
  if (!b.spec.moe.shared_gate) return shared;
  const OperationId gate = b.linear("shared_gate_score", Role::kSharedScore, b.tokens,
                                    b.spec.hidden, 1, b.spec.precision.plain, {in});
  const std::uint64_t elements = b.tokens * b.spec.hidden;
  return b.vector("shared_scale", Role::kSharedVector, OperationKind::kElementwise,
                  elements + b.tokens, elements, {shared, gate});
}

}  // namespace

std::vector<std::uint32_t> uniform_counts(const RoutingRule& rule, std::uint64_t tokens) {
  const std::uint64_t assignments = tokens * rule.experts_per_token;
  const double expected = expected_distinct_experts(rule.experts, rule.experts_per_token, tokens);
  const std::uint64_t distinct =
      std::clamp<std::uint64_t>(static_cast<std::uint64_t>(std::llround(expected)),
                                rule.experts_per_token, std::min(rule.experts, assignments));
  std::vector<std::uint32_t> counts(rule.experts, 0);
  std::uint64_t given = 0;
  for (std::uint64_t e = 0; e < rule.experts; ++e) {
    const std::uint64_t before = e * distinct / rule.experts;
    if ((e + 1) * distinct / rule.experts == before) continue;  // an untouched expert
    const std::uint64_t until = (before + 1) * assignments / distinct;
    counts[e] = static_cast<std::uint32_t>(until - given);
    given = until;
  }
  return counts;
}

OperationId add_dense_ffn(GraphBuilder& b, OperationId in) {
  const std::uint64_t elements = b.tokens * b.spec.hidden;
  const OperationId out =
      add_mlp(b, "ffn_", kDense, b.spec.dense_width, add_norm(b, Role::kDenseVector, in));
  return b.vector("ffn_residual", Role::kDenseVector, OperationKind::kElementwise, 2 * elements,
                  elements, {in, out});
}

OperationId add_moe(GraphBuilder& b, OperationId in, std::span<const std::uint32_t> counts) {
  const RoutingRule& rule = b.spec.moe.routing;
  const std::uint64_t h = b.spec.hidden;
  const std::uint64_t width = b.spec.moe.expert_width;
  std::vector<std::uint32_t> rows(counts.begin(), counts.end());
  double touched = expected_distinct_experts(rule.experts, rule.experts_per_token, b.tokens);
  if (rows.empty()) {
    rows = uniform_counts(rule, b.tokens);
  } else {
    touched = static_cast<double>(rows.size()) -
              static_cast<double>(std::count(rows.begin(), rows.end(), 0U));
  }
  std::uint64_t copies = 0;
  for (const std::uint32_t n : rows) copies += n;

  const OperationId norm = add_norm(b, Role::kRouterVector, in);
  const OperationId chosen = add_router(b, norm);
  const OperationId dispatch = add_exchange(b, "dispatch", OperationKind::kDispatch, b.tokens * h,
                                            copies * h, b.step.dispatch_bits, {norm, chosen});
  const OperationId gate =
      add_grouped(b, "expert_gate", Role::kExpertGate, h, width, rows, touched, dispatch);
  const OperationId up =
      add_grouped(b, "expert_up", Role::kExpertUp, h, width, rows, touched, dispatch);
  const OperationId act =
      b.vector("expert_activation", Role::kExpertVector, OperationKind::kActivation,
               2 * copies * width, copies * width, {gate, up});
  const OperationId down =
      add_grouped(b, "expert_down", Role::kExpertDown, width, h, rows, touched, act);
  const OperationId combine = add_exchange(b, "combine", OperationKind::kCombine, copies * h,
                                           b.tokens * h, b.step.combine_bits, {down, chosen});
  if (b.spec.moe.shared_width == 0) {
    return b.vector("ffn_residual", Role::kExpertSum, OperationKind::kElementwise, 2 * b.tokens * h,
                    b.tokens * h, {in, combine});
  }
  const OperationId shared = add_shared(b, norm);
  return b.vector("ffn_residual", Role::kExpertSum, OperationKind::kElementwise, 3 * b.tokens * h,
                  b.tokens * h, {in, combine, shared});
}

}  // namespace lacuna
