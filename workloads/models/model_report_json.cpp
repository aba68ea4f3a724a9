// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "workloads/models/model_report.hpp"

namespace lacuna {
namespace {

using OrderedJson = nlohmann::ordered_json;

OrderedJson bytes_json(const OperationTotals& t) {
  return {{"weight_bytes", t.weight_bytes.count()},
          {"cache_read_bytes", t.cache_read_bytes.count()},
          {"cache_write_bytes", t.cache_write_bytes.count()},
          {"activation_bytes", t.activation_bytes.count()},
          {"index_bytes", t.index_bytes.count()}};
}

OrderedJson parameters_json(const ParameterCounts& p) {
  return {{"total", p.total},
          {"active", p.active},
          {"active_without_input_embedding", p.active_without_embedding},
          {"embedding", p.embedding},
          {"head", p.head},
          {"norms", p.norms},
          {"attention", p.attention},
          {"dense_ffn", p.dense_ffn},
          {"router", p.router},
          {"routed_experts", p.routed_experts},
          {"shared_experts", p.shared_experts},
          {"mtp_layer", p.mtp_layer},
          {"mtp_projection", p.mtp_projection}};
}

OrderedJson edges_json(const OperationGraph& graph) {
  OrderedJson edges = OrderedJson::array();
  for (const auto edge : boost::make_iterator_range(boost::edges(graph))) {
    edges.push_back({{"from", boost::source(edge, graph)},
                     {"to", boost::target(edge, graph)},
                     {"tensor", graph[edge].name},
                     {"bytes", graph[edge].bytes.count()}});
  }
  return edges;
}

OrderedJson operands_json(const Einsum& einsum) {
  constexpr const char* kKinds[] = {"weight", "activation", "cache", "index"};
  OrderedJson out = OrderedJson::array();
  for (std::size_t i = 0; i < einsum.operands.size(); ++i) {
    const EinsumOperand& operand = einsum.operands[i];
    out.push_back({{"name", operand.name},
                   {"kind", kKinds[static_cast<std::size_t>(operand.kind)]},
                   {"elements", total_elements(einsum, i)},
                   {"bits_per_element", operand.bits},
                   {"scale_bits",
                    operand.scale_bits.count() * (operand.shared ? 1 : touched_instances(einsum))},
                   {"batched", !operand.shared}});
  }
  return out;
}

/// The vertices of the graph, one per block, whatever the table lists.
OrderedJson vertices_json(const OperationGraph& graph) {
  OrderedJson out = OrderedJson::array();
  for (OperationId id = 0; id < boost::num_vertices(graph); ++id) {
    const Operation& op = graph[id];
    OrderedJson vertex{
        {"id", id}, {"block", op.block}, {"operation", op.name}, {"repeat", repeat_of(graph, id)}};
    if (op.einsum) {
      OrderedJson ranks;
      for (const Rank& rank : op.einsum->ranks) ranks[rank.name] = rank.size;
      vertex["equation"] = op.einsum->equation;
      vertex["ranks"] = std::move(ranks);
      vertex["instances"] = touched_instances(*op.einsum);
      vertex["macs"] = op.einsum->macs;
      vertex["operands"] = operands_json(*op.einsum);
    }
    out.push_back(std::move(vertex));
  }
  return out;
}

OrderedJson operation_json(const OperationLine& line, double tokens) {
  OrderedJson out{{"block", line.block}, {"name", line.name},     {"group", line.group},
                  {"kind", line.kind},   {"repeat", line.repeat}, {"flops", line.flops}};
  if (!line.equation.empty()) {
    out["einsum"] = line.equation;
    out["shape"] = line.shape;
  }
  out["flops_per_token"] = static_cast<double>(line.flops) / tokens;
  out.update(bytes_json(line.bytes));
  out["flops_per_byte"] = line.intensity;
  out["critical"] = line.critical;
  return out;
}

}  // namespace

std::string model_json(const ModelReport& r) {
  const auto tokens = static_cast<double>(r.tokens);
  OrderedJson out{{"schema", "lacuna.model/1"},
                  {"name", r.spec.name},
                  {"model_type", r.spec.model_type},
                  {"attention", r.attention},
                  {"layers", r.spec.layers.size()},
                  {"parameters", parameters_json(r.parameters)},
                  {"kv_bytes_per_token", r.kv_bytes_per_token.count()},
                  {"gemm_flops_per_token", r.gemm_flops_per_token},
                  {"attention_flops_per_query", r.attention_flops}};
  out["step"] = {{"phase", name_of(r.step.phase)},
                 {"batch", r.step.batch},
                 {"context", r.step.context},
                 {"new_tokens", r.new_tokens}};
  OrderedJson total{{"flops", r.total.flops},
                    {"flops_per_token", static_cast<double>(r.total.flops) / tokens}};
  total.update(bytes_json(r.total));
  out["total"] = std::move(total);
  out["notes"] = r.notes;
  out["expected_distinct_experts"] = r.expected_distinct_experts;
  if (r.routing) {
    out["routing"] = {{"source", r.routing->description},
                      {"notes", r.routing->notes},
                      {"mean_distinct_experts", r.routing->mean_distinct},
                      {"mean_max_over_mean", r.routing->mean_max_over_mean}};
  }
  for (const auto& [part, t] : r.groups) {
    OrderedJson group{{"flops", t.flops}};
    group.update(bytes_json(t));
    group["flops_per_stationary_byte"] = stationary_intensity(t);
    out["groups"][std::string(label_of(part))] = std::move(group);
  }
  OrderedJson path = OrderedJson::array();
  for (const OperationId id : r.critical) path.push_back(id);
  out["critical_path"] = {{"unit", r.critical_unit}, {"cost", r.critical_cost}, {"vertices", path}};
  if (r.schedule) {
    out["critical_path"].update({{"limited_by", r.schedule->limiter()},
                                 {"bandwidth_s", r.schedule->bandwidth_seconds},
                                 {"arithmetic_s", r.schedule->arithmetic_seconds},
                                 {"chain_s", r.schedule->chain_seconds}});
  }
  out["operations"] = OrderedJson::array();
  for (const OperationLine& line : r.operations) {
    out["operations"].push_back(operation_json(line, tokens));
  }
  out["graph"] = {{"vertices", vertices_json(r.graph)}, {"edges", edges_json(r.graph)}};
  // Names come from files and may be no UTF-8.
  return out.dump(2, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
}

}  // namespace lacuna
