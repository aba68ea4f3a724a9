// SPDX-License-Identifier: Apache-2.0
#include "workloads/operation_graph.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "base/error.hpp"
#include "base/quantity_text.hpp"

namespace lacuna {
namespace {

constexpr std::array<std::string_view, 12> kKindNames{
    "einsum",       "norm",   "rope",  "softmax",  "activation", "elementwise",
    "cache_append", "router", "top_k", "dispatch", "combine",    "lookup"};

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string shape_text(const Einsum& einsum) {
  std::string out;
  for (const Rank& rank : einsum.ranks) {
    out += fmt::format("{}{}={}", out.empty() ? "" : " ", rank.name, rank.size);
  }
  if (einsum.batch != 1) out += fmt::format(" x{}", einsum.batch);
  return out;
}

std::string vertex_line(const OperationGraph& graph, OperationId id, bool bold) {
  const Operation& op = graph[id];
  std::string label = escaped(op.name);
  if (op.einsum) {
    label += "\\n" + escaped(op.einsum->equation) + "\\n" + shape_text(*op.einsum) +
             fmt::format("\\n{}FLOP", human_count(static_cast<double>(op.flops())));
  } else {
    label += fmt::format("\\n{}", name_of(op.kind));
  }
  return fmt::format("    v{} [label=\"{}\", shape={}{}];\n", id, label,
                     op.einsum ? "box" : "ellipse", bold ? ", penwidth=3" : "");
}

void check_operand(const Operation& op, const Operation& producer, std::uint32_t operand) {
  LACUNA_CHECK(operand > 0, "{} would write the result of {}", producer.name, op.name);
  if (!op.einsum) return;
  const auto& operands = op.einsum->operands;
  LACUNA_CHECK(operand < operands.size(), "{} is operand {} of {}, which reads {}", producer.name,
               operand, op.name, operands.size() - 1);
  LACUNA_CHECK(operands[operand].kind != OperandKind::kWeight, "{} is a weight of {}",
               producer.name, op.name);
}

}  // namespace

std::string_view name_of(OperationKind kind) {
  return kKindNames.at(static_cast<std::size_t>(kind));
}

void connect(OperationGraph& graph, OperationId from, OperationId to,
             std::optional<std::uint32_t> operand) {
  const Operation& producer = graph[from];
  Bytes bytes = producer.activation_write_bytes;
  if (producer.kind == OperationKind::kCacheAppend) bytes = producer.cache_write_bytes;
  if (producer.kind == OperationKind::kTopK) bytes = producer.index_bytes;
  boost::add_edge(from, to, GraphTensor{producer.name, bytes, operand}, graph);
}

std::optional<OperationId> producer_of(const OperationGraph& graph, OperationId id,
                                       std::uint32_t operand) {
  for (const auto edge : boost::make_iterator_range(boost::in_edges(id, graph))) {
    if (graph[edge].operand == operand) return boost::source(edge, graph);
  }
  return std::nullopt;
}

void check_operations(const OperationGraph& graph) {
  for (OperationId id = 0; id < boost::num_vertices(graph); ++id) {
    const Operation& op = graph[id];
    LACUNA_CHECK(op.role != Role::kUnset, "{} has no role", op.name);
    std::set<std::uint32_t> given;
    for (const auto edge : boost::make_iterator_range(boost::in_edges(id, graph))) {
      const Operation& producer = graph[boost::source(edge, graph)];
      const auto operand = graph[edge].operand;
      LACUNA_CHECK(boost::source(edge, graph) < id, "{} comes before {}, which it reads", op.name,
                   producer.name);
      if (!operand) {
        LACUNA_CHECK(producer.kind == OperationKind::kTopK, "{} of {} is no operand of it",
                     producer.name, op.name);
        continue;
      }
      check_operand(op, producer, *operand);
      LACUNA_CHECK(given.insert(*operand).second, "operand {} of {} comes from {} as well",
                   *operand, op.name, producer.name);
    }
  }
}

std::uint64_t repeat_of(const OperationGraph& graph, OperationId id) {
  return info_of(graph).blocks.at(graph[id].block).repeat();
}

void OperationTotals::add(const Operation& op, std::uint64_t times) {
  std::uint64_t more = 0;
  if (__builtin_mul_overflow(op.flops(), times, &more) ||
      __builtin_add_overflow(flops, more, &flops)) {
    throw InputError("the workload has more than 2^64 operations",
                     "use a smaller batch or context");
  }
  weight_elements += op.weight_elements * times;
  weight_bytes += op.weight_bytes * times;
  cache_read_bytes += op.cache_read_bytes * times;
  cache_write_bytes += op.cache_write_bytes * times;
  activation_bytes += (op.activation_read_bytes + op.activation_write_bytes) * times;
  index_bytes += op.index_bytes * times;
}

OperationTotals totals(const OperationGraph& graph) {
  OperationTotals out;
  for (OperationId id = 0; id < boost::num_vertices(graph); ++id) {
    out.add(graph[id], repeat_of(graph, id));
  }
  return out;
}

std::vector<std::pair<Part, OperationTotals>> totals_by_part(const OperationGraph& graph) {
  std::vector<std::pair<Part, OperationTotals>> out;
  for (OperationId id = 0; id < boost::num_vertices(graph); ++id) {
    const Part part = part_of(graph[id].role);
    auto at = std::find_if(out.begin(), out.end(), [&](const auto& e) { return e.first == part; });
    if (at == out.end()) at = out.insert(out.end(), {part, OperationTotals{}});
    at->second.add(graph[id], repeat_of(graph, id));
  }
  return out;
}

std::optional<OperationId> find_operation(const OperationGraph& graph, std::string_view name,
                                          std::optional<std::uint32_t> layer) {
  const auto& blocks = info_of(graph).blocks;
  for (OperationId id = 0; id < boost::num_vertices(graph); ++id) {
    if (graph[id].name != name) continue;
    const auto& layers = blocks.at(graph[id].block).layers;
    const bool here =
        layer ? std::find(layers.begin(), layers.end(), *layer) != layers.end() : layers.empty();
    if (here) return id;
  }
  return std::nullopt;
}

double arithmetic_intensity(const Operation& operation) {
  const std::uint64_t bytes = operation.moved_bytes().count();
  return bytes == 0 ? 0.0 : static_cast<double>(operation.flops()) / static_cast<double>(bytes);
}

double stationary_intensity(const OperationTotals& totals) {
  const std::uint64_t bytes = (totals.weight_bytes + totals.cache_read_bytes).count();
  return bytes == 0 ? 0.0 : static_cast<double>(totals.flops) / static_cast<double>(bytes);
}

OperationCost flop_cost() {
  return [](const Operation& op) { return static_cast<double>(op.flops()); };
}

OperationCost roofline_cost(double flops_per_second, double bytes_per_second) {
  LACUNA_CHECK(flops_per_second > 0 && bytes_per_second > 0, "a roofline of {} FLOP/s and {} B/s",
               flops_per_second, bytes_per_second);
  return [=](const Operation& op) {
    return std::max(static_cast<double>(op.flops()) / flops_per_second,
                    static_cast<double>(op.moved_bytes().count()) / bytes_per_second);
  };
}

CriticalPath critical_path(const OperationGraph& graph, const OperationCost& cost) {
  CriticalPath path;
  const std::size_t count = boost::num_vertices(graph);
  if (count == 0) return path;
  const OperationId none = boost::graph_traits<OperationGraph>::null_vertex();
  std::vector<double> length(count, 0.0);  // of the longest path that ends here
  std::vector<OperationId> before(count, none);
  OperationId at = 0;
  for (OperationId id = 0; id < count; ++id) {
    double longest = 0.0;
    for (const auto edge : boost::make_iterator_range(boost::in_edges(id, graph))) {
      const OperationId producer = boost::source(edge, graph);
      LACUNA_CHECK(producer < id, "{} comes before what it reads", graph[id].name);
      const bool first_of_equals = length[producer] == longest && producer < before[id];
      if (before[id] == none || length[producer] > longest || first_of_equals) {
        longest = length[producer];
        before[id] = producer;
      }
    }
    length[id] = longest + cost(graph[id]) * static_cast<double>(repeat_of(graph, id));
    if (length[id] >= length[at]) at = id;  // the last of equals reaches the end of the step
  }
  path.cost = length[at];
  for (; at != none; at = before[at]) path.operations.push_back(at);
  std::reverse(path.operations.begin(), path.operations.end());
  return path;
}

std::string to_dot(const OperationGraph& graph, const std::vector<OperationId>& highlight) {
  const GraphInfo& info = info_of(graph);
  const auto bold = [&](OperationId id) {
    return std::find(highlight.begin(), highlight.end(), id) != highlight.end();
  };
  std::string out =
      fmt::format("digraph \"{}\" {{\n  rankdir=TB;\n  node [fontsize=10];\n", escaped(info.name));
  for (std::uint32_t block = 0; block < info.blocks.size(); ++block) {
    const GraphBlock& b = info.blocks[block];
    const std::string times = b.layers.empty() ? "" : fmt::format(" (x{})", b.layers.size());
    out += fmt::format("  subgraph cluster_{} {{\n    label=\"{}{}\";\n", block, escaped(b.name),
                       times);
    for (OperationId id = 0; id < boost::num_vertices(graph); ++id) {
      if (graph[id].block == block) out += vertex_line(graph, id, bold(id));
    }
    out += "  }\n";
  }
  for (const auto edge : boost::make_iterator_range(boost::edges(graph))) {
    const OperationId from = boost::source(edge, graph);
    const OperationId to = boost::target(edge, graph);
    out += fmt::format("  v{} -> v{} [label=\"{} {}\", fontsize=8{}];\n", from, to,
                       escaped(graph[edge].name),
                       human_bytes(static_cast<double>(graph[edge].bytes.count())),
                       bold(from) && bold(to) ? ", penwidth=3" : "");
  }
  return out + "}\n";
}

}  // namespace lacuna
