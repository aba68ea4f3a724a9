// SPDX-License-Identifier: Apache-2.0
#include "study/attention_forms.hpp"

#include "run/model/workload.hpp"

namespace lacuna {
namespace {

/// `expansion`: with the products of kv_up or of the absorption, in which naive and absorbed
/// differ.
AttentionCost attention_cost(const FabricSpec& machine, const ModelWorkloadSpec& spec,
                             bool expansion) {
  const auto counts = [&](Role role) {
    const Part part = part_of(role);
    if (part == Part::kAttentionCore || part == Part::kSparseIndex) return true;
    return expansion && (role == Role::kLatentUp || role == Role::kLatentKeys ||
                         role == Role::kQueryAbsorb || role == Role::kValueUp);
  };
  const ModelWorkload workload = make_model_workload(spec);
  AttentionCost out;
  for (OperationId v = 0; v < boost::num_vertices(workload.graph); ++v) {
    const Operation& op = workload.graph[v];
    // The indexer's own projections are small and shared by all contexts.
    const bool index_weights = part_of(op.role) == Part::kSparseIndex && op.weight_elements > 0;
    if (!counts(op.role) || index_weights) continue;
    out.flops += static_cast<double>(op.flops());
    out.cache_bytes += static_cast<double>(op.cache_read_bytes.count());
  }
  FabricSpec alone = machine;
  alone.overlap = false;  // operations are compared, each by itself
  for (const OperationReport& op : run_model(alone, workload, {}).operations) {
    if (!counts(op.role)) continue;
    out.cycles += static_cast<double>(op.cycles.count());
    out.picojoules += op.picojoules;
  }
  return out;
}

ModelWorkloadSpec one_layer(const char* model, const char* form, std::uint64_t context,
                            std::uint64_t queries, const char* cache) {
  ModelWorkloadSpec spec;
  spec.model = model;
  spec.step.phase = "prefill";
  spec.step.attention = form;
  spec.step.cache = cache;
  spec.step.layers = "0-0";
  spec.step.step.context = context;
  spec.step.step.new_tokens = queries;
  return spec;
}

/// Query tokens at which the first stops to be the smaller of the two, between the points.
std::optional<double> crossing(const std::vector<AttentionPair>& pairs,
                               double AttentionCost::*what) {
  for (std::size_t i = 1; i < pairs.size(); ++i) {
    const double before = pairs[i - 1].first.*what - pairs[i - 1].second.*what;
    const double after = pairs[i].first.*what - pairs[i].second.*what;
    if (before < 0 && after >= 0) {
      const auto x = static_cast<double>(pairs[i - 1].queries);
      return x + (static_cast<double>(pairs[i].queries) - x) * before / (before - after);
    }
  }
  return std::nullopt;
}

}  // namespace

AttentionForms attention_forms(const FabricSpec& machine) {
  AttentionForms out;
  const auto cost = [&machine](const char* model, const char* form, std::uint64_t context,
                               std::uint64_t queries, const char* cache, bool expansion) {
    return attention_cost(machine, one_layer(model, form, context, queries, cache), expansion);
  };
  constexpr std::uint64_t kKeys = AttentionForms::kContext;
  for (const std::uint64_t queries :
       {1UL, 4UL, 16UL, 64UL, 96UL, 128UL, 160UL, 176UL, 192UL, 256UL, 384UL, 512UL, 1024UL}) {
    out.by_queries.push_back({queries, kKeys,
                              cost("deepseek-v3", "absorbed", kKeys, queries, "bf16", true),
                              cost("deepseek-v3", "naive", kKeys, queries, "bf16", true)});
  }
  for (const std::uint64_t context : {4096UL, 32768UL, 131072UL}) {
    out.by_context.push_back({1, context,
                              cost("deepseek-v3", "absorbed", context, 1, "bf16", false),
                              cost("deepseek-v3.2", "absorbed", context, 1, "fp8", false)});
  }
  out.flops_cross = crossing(out.by_queries, &AttentionCost::flops);
  out.cycles_cross = crossing(out.by_queries, &AttentionCost::cycles);
  return out;
}

}  // namespace lacuna
