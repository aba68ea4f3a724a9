// SPDX-License-Identifier: Apache-2.0
#include "workloads/models/expert_layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "base/error.hpp"
#include "base/quantity_text.hpp"
#include "workloads/routing/execution_layouts.hpp"

namespace lacuna {
namespace {

using Rows = std::vector<std::uint32_t>;

/// The experts' rows in one MoE layer.
struct LaidOut {
  Rows rows;  // executed
  routing::LayoutCost cost;
  Bytes metadata{0};          // each product reads it
  Bytes metadata_written{0};  // with what only a backward pass reads
};

Rows narrow(const std::vector<std::uint64_t>& rows) {
  return {rows.begin(), rows.end()};
}

LaidOut lay_out(const Rows& loads, const routing::ExpertShape& shape, const ModelSpec& model,
                std::uint64_t tokens, const ExpertLayout& layout) {
  LaidOut out;
  out.metadata = out.metadata_written = Bytes(4 * (loads.size() + 1));
  switch (layout.kind) {
    case ExpertLayout::Kind::kGrouped: {
      const auto grouped = routing::grouped_gemm(loads, shape, layout.block);
      out.rows = narrow(grouped.rows);
      out.cost = grouped.cost;
      break;
    }
    case ExpertLayout::Kind::kCapacity: {
      const auto& rule = model.moe.routing;
      const std::uint64_t capacity = routing::expert_capacity(
          {routing::CapacityRule::Flavour::kMegaBlocks, layout.factor, 1}, tokens,
          static_cast<std::uint32_t>(rule.experts_per_token),
          static_cast<std::uint32_t>(rule.experts), *std::max_element(loads.begin(), loads.end()));
      if (capacity == 0) {
        throw InputError(
            Place{"", 0, "layout"},
            fmt::format("capacity factor {} leaves an expert no row of {} tokens: all are dropped",
                        layout.factor, tokens),
            "give a larger factor, a larger batch, or grouped");
      }
      out.rows.assign(loads.size(), static_cast<std::uint32_t>(capacity));
      out.cost = routing::capacity_layout(loads, capacity, shape).cost;
      break;
    }
    case ExpertLayout::Kind::kBlockSparse: {
      const auto blocks = routing::block_sparse(loads, shape, layout.block);
      out.rows = narrow(routing::grouped_gemm(loads, shape, layout.block).rows);
      out.cost = blocks.cost;
      out.metadata = blocks.metadata;
      out.metadata_written = blocks.metadata + blocks.metadata_transposed;
      break;
    }
  }
  return out;
}

Bytes scaled(Bytes bytes, double by) {
  return Bytes(static_cast<std::uint64_t>(std::llround(static_cast<double>(bytes.count()) * by)));
}

void lay_out_product(Operation& op, const LaidOut& layer) {
  Einsum& einsum = *op.einsum;
  const auto touched = static_cast<double>(touched_instances(einsum));
  set_rows_per_instance(einsum, layer.rows);
  const double experts = static_cast<double>(touched_instances(einsum)) / touched;
  op.weight_bytes = scaled(op.weight_bytes, experts);
  op.weight_elements =
      static_cast<std::uint64_t>(std::llround(static_cast<double>(op.weight_elements) * experts));
  einsum.macs = einsum.macs / layer.cost.rows_executed * layer.cost.rows_useful;
  // The topology is read row by row with the tokens: of the largest instance, its share.
  const auto largest = static_cast<double>(einsum.ranks[0].size);
  einsum.operands[1].scale_bits += Bits(static_cast<std::uint64_t>(
      std::llround(8 * static_cast<double>(layer.metadata.count()) * largest /
                   static_cast<double>(layer.cost.rows_executed))));
}

/// The operations of one MoE layer, in the order of the graph.
void lay_out_block(OperationGraph& graph, std::uint32_t block, const LaidOut& layer) {
  const double assigned = static_cast<double>(layer.cost.assignments);
  const double executed = static_cast<double>(layer.cost.rows_executed) / assigned;
  const double useful = static_cast<double>(layer.cost.rows_useful) / assigned;
  for (OperationId v = 0; v < boost::num_vertices(graph); ++v) {
    Operation& op = graph[v];
    if (op.block != block) continue;
    if (op.kind == OperationKind::kDispatch) {
      op.activation_write_bytes = scaled(op.activation_write_bytes, executed);
      op.index_bytes += layer.metadata_written;
    } else if (op.kind == OperationKind::kCombine) {
      op.activation_read_bytes = scaled(op.activation_read_bytes, useful);
    } else if (part_of(op.role) == Part::kRoutedExperts) {
      op.activation_read_bytes = scaled(op.activation_read_bytes, executed);
      op.activation_write_bytes = scaled(op.activation_write_bytes, executed);
      if (op.einsum) lay_out_product(op, layer);
    } else {
      continue;
    }
    for (const auto e : boost::make_iterator_range(boost::out_edges(v, graph))) {
      graph[e].bytes = op.activation_write_bytes;
    }
  }
}

std::string name_of(const ExpertLayout& layout) {
  switch (layout.kind) {
    case ExpertLayout::Kind::kGrouped:
      return fmt::format("grouped, rows aligned to {}", layout.block);
    case ExpertLayout::Kind::kCapacity:
      return fmt::format("capacity factor {}", layout.factor);
    case ExpertLayout::Kind::kBlockSparse:
      break;
  }
  return fmt::format("block-sparse, blocks of {}", layout.block);
}

}  // namespace

ExpertLayout parse_layout(const std::string& text) {
  const Place place{"", 0, "layout"};
  const auto colon = text.find(':');
  const std::string kind = text.substr(0, colon);
  const std::string value = colon == std::string::npos ? "" : text.substr(colon + 1);
  ExpertLayout layout;
  if (kind == "capacity") {
    layout.kind = ExpertLayout::Kind::kCapacity;
    const auto factor = parse_number(value);
    if (!factor || !(*factor >= 0) || !std::isfinite(*factor) || *factor > 1e6) {
      throw InputError(place, fmt::format("'{}': a capacity takes a factor", text),
                       "write capacity:1.25, or capacity:0 for the largest load");
    }
    layout.factor = *factor;
    return layout;
  }
  if (kind == "block-sparse") {
    layout.kind = ExpertLayout::Kind::kBlockSparse;
    layout.block = 128;
  } else if (kind != "grouped") {
    throw InputError(place, fmt::format("'{}': not a layout of experts", text),
                     suggest(kind, {"grouped", "capacity:1.25", "block-sparse:128"}));
  }
  if (colon != std::string::npos) {
    const auto block = parse_integer(value);
    if (!block || *block == 0 || *block > (1U << 20)) {
      throw InputError(place, fmt::format("'{}': expected a number of rows after ':'", text),
                       "write grouped:128 or block-sparse:128");
    }
    layout.block = *block;
  }
  return layout;
}

std::vector<std::string> apply_layout(OperationGraph& graph, const ModelSpec& model,
                                      const ExpertLayout& layout) {
  std::map<std::uint32_t, Rows> loads;  // by block
  for (OperationId v = 0; v < boost::num_vertices(graph); ++v) {
    const Operation& op = graph[v];
    if (part_of(op.role) != Part::kRoutedExperts || !op.einsum) continue;
    loads.try_emplace(op.block, op.einsum->rows_per_instance);
  }
  if (loads.empty()) {
    throw InputError(Place{"", 0, "layout"}, "the step has no routed experts to lay out",
                     "choose --layers with experts, or leave --layout out");
  }
  routing::LayoutCost all;
  const routing::ExpertShape shape{model.hidden, model.moe.expert_width};
  for (const auto& [block, rows] : loads) {
    const LaidOut layer = lay_out(rows, shape, model, info_of(graph).tokens, layout);
    lay_out_block(graph, block, layer);
    const std::uint64_t times = info_of(graph).blocks[block].repeat();
    all.assignments += layer.cost.assignments * times;
    all.rows_executed += layer.cost.rows_executed * times;
    all.rows_useful += layer.cost.rows_useful * times;
  }
  return {fmt::format("experts: {}; {} rows executed for {} routed, {} of them dropped",
                      name_of(layout), all.rows_executed, all.assignments,
                      all.assignments - all.rows_useful)};
}

}  // namespace lacuna
