// SPDX-License-Identifier: Apache-2.0
#include "workloads/routing/layout_summary.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/error.hpp"
#include "base/quantity_text.hpp"

namespace lacuna::routing {
namespace {

constexpr double kMostFactor = 1e6;

void check(const LayoutOptions& options) {
  if (options.block == 0) {
    throw InputError(Place{"", 0, "block"}, "0 is no block size", "expected rows, like 128");
  }
  const double factor = options.capacity.factor;
  if (!(factor >= 0 && factor <= kMostFactor)) {
    throw InputError(Place{"", 0, "capacity"}, fmt::format("{} is no capacity factor", factor),
                     "expected a number like 1.25; 0 takes the largest load");
  }
}

void add(LayoutCost& sum, const LayoutCost& cost) {
  sum.assignments += cost.assignments;
  sum.rows_executed += cost.rows_executed;
  sum.rows_useful += cost.rows_useful;
  sum.flop_executed += cost.flop_executed;
  sum.flop_useful += cost.flop_useful;
}

/// Without a width one block of columns per expert stands for any: rows do not depend on it.
ExpertShape shape_of(const LayoutOptions& options) {
  return options.shape.value_or(ExpertShape{0, options.block});
}

/// Adds one step's layouts.
class Summing {
 public:
  Summing(const LayoutOptions& options, std::uint32_t layer) : options_(options) {
    row_.layer = layer;
  }

  void add_step(const std::vector<std::uint32_t>& loads, std::uint64_t tokens,
                std::uint32_t top_k) {
    const ExpertShape shape = shape_of(options_);
    const std::uint32_t most = *std::max_element(loads.begin(), loads.end());
    const std::uint64_t capacity = expert_capacity(options_.capacity, tokens, top_k,
                                                   static_cast<std::uint32_t>(loads.size()), most);
    check_size(loads, capacity, shape);
    ++row_.steps;
    add(row_.grouped, grouped_gemm(loads, shape).cost);
    const CapacityLayout capped = capacity_layout(loads, capacity, shape);
    add(row_.capacity, capped.cost);
    row_.capacity_per_expert = std::max(row_.capacity_per_expert, capacity);
    row_.dropped += capped.dropped;
    row_.padding += capped.padding;
    add_blocks(loads, shape);
  }

  [[nodiscard]] LayoutSummary row() && { return std::move(row_); }

 private:
  /// In double: exact enough to tell what could pass 64 bits, over all steps.
  void check_size(const std::vector<std::uint32_t>& loads, std::uint64_t capacity,
                  const ExpertShape& shape) {
    const double sum = std::accumulate(loads.begin(), loads.end(), 0.0);
    const auto experts = static_cast<double>(loads.size());
    largest_ +=
        std::max(static_cast<double>(capacity), static_cast<double>(options_.block)) * experts +
        sum;
    const double flop = 6.0 * static_cast<double>(shape.hidden) * static_cast<double>(shape.width);
    if (largest_ * std::max(flop, 64.0) > 0x1p63) {
      throw InputError(Place{"", 0, fmt::format("layer {}", row_.layer)},
                       "the rows of these counts need more than 64 bits of FLOP",
                       "check the counts, or take a smaller capacity factor or block");
    }
  }

  void add_blocks(const std::vector<std::uint32_t>& loads, const ExpertShape& shape) {
    if (!row_.refused.empty()) return;
    try {
      const BlockSparse sparse = block_sparse(loads, shape, options_.block);
      if (!row_.block_sparse) row_.block_sparse.emplace();
      add(*row_.block_sparse, sparse.cost);
      row_.metadata += sparse.metadata + sparse.metadata_transposed;
    } catch (const InputError& error) {
      row_.refused = error.what();
    }
  }

  const LayoutOptions& options_;
  LayoutSummary row_;
  double largest_ = 0;
};

/// Loads as the layouts take them; a step of one layer has fewer than 2^32 rows per expert.
std::vector<std::uint32_t> narrow(const std::vector<std::uint64_t>& loads,
                                  const std::string& source, std::uint32_t layer) {
  std::vector<std::uint32_t> out;
  for (const std::uint64_t load : loads) {
    if (load > std::numeric_limits<std::uint32_t>::max()) {
      throw InputError(
          Place{source, 0, fmt::format("layer {}", layer)},
          fmt::format("{} tokens for one expert are more than one step can have", load));
    }
    out.push_back(static_cast<std::uint32_t>(load));
  }
  return out;
}

}  // namespace

std::vector<LayoutSummary> layout_summaries(const RoutingTrace& trace,
                                            const LayoutOptions& options) {
  check(options);
  std::vector<LayoutSummary> rows;
  for (const std::uint32_t layer : trace.header.layers) {
    Summing sum(options, layer);
    for (const RoutingBlock& block : trace.blocks) {
      if (block.layer != layer) continue;
      if (const TraceBinding* binding = options.binding) {
        const auto ids = binding->map_ids(block.ids, trace.header.top_k);
        sum.add_step(tokens_per_expert(ids, binding->experts), trace.tokens(block), binding->top_k);
      } else {
        sum.add_step(tokens_per_expert(block.ids, trace.header.experts), trace.tokens(block),
                     trace.header.top_k);
      }
    }
    rows.push_back(std::move(sum).row());
  }
  return rows;
}

std::vector<LayoutSummary> layout_summaries(const ExpertCounts& counts,
                                            const LayoutOptions& options) {
  check(options);
  std::vector<LayoutSummary> rows;
  for (std::size_t i = 0; i < counts.layers.size(); ++i) {
    Summing sum(options, counts.layers[i]);
    for (std::uint64_t step = 0; step < counts.steps; ++step) {
      const auto at = counts.at(step, i);
      const auto loads = narrow(options.binding ? options.binding->map_loads(at)
                                                : std::vector<std::uint64_t>(at.begin(), at.end()),
                                counts.source, counts.layers[i]);
      // k B is the sum of the counts, whatever k is.
      sum.add_step(loads, std::accumulate(loads.begin(), loads.end(), std::uint64_t{0}), 1);
    }
    rows.push_back(std::move(sum).row());
  }
  return rows;
}

std::string layouts_table(const std::vector<LayoutSummary>& rows, const LayoutOptions& options) {
  const bool flop = options.shape.has_value();
  std::string out =
      fmt::format("execution layouts, each step by itself: capacity factor {}, blocks of {} rows\n",
                  options.capacity.factor, options.block);
  out += fmt::format(
      "{:>5} {:>6} {:>11} {:>9} {:>11} {:>9} {:>9} {:>11} {:>8}{}\n", "layer", "steps", "grouped",
      "capacity", "rows", "dropped", "padding", "block rows", "useful",
      flop ? fmt::format(" {:>12} {:>12} {:>12}", "FLOP grouped", "in capacity", "in blocks") : "");
  const auto percent = [](std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
  };
  const auto human = [](std::uint64_t value) { return human_count(static_cast<double>(value)); };
  for (const LayoutSummary& r : rows) {
    out += fmt::format(
        "{:>5} {:>6} {:>11} {:>9} {:>11} {:>7.3f} % {:>7.3f} % {:>11} {:>8}", r.layer, r.steps,
        r.grouped.rows_executed, r.capacity_per_expert, r.capacity.rows_executed,
        percent(r.dropped, r.grouped.assignments), percent(r.padding, r.capacity.rows_executed),
        r.block_sparse ? fmt::format("{}", r.block_sparse->rows_executed) : "-",
        r.block_sparse ? fmt::format("{:.4f}", r.block_sparse->useful_share()) : "-");
    if (flop) {
      out += fmt::format(" {:>12} {:>12} {:>12}", human(r.grouped.flop_executed),
                         human(r.capacity.flop_executed),
                         r.block_sparse ? human(r.block_sparse->flop_executed) : "-");
    }
    out += '\n';
  }
  if (!rows.empty() && !rows.front().refused.empty()) {
    out += fmt::format("note: no block-sparse execution: {}\n", rows.front().refused);
  }
  return out;
}

std::string layouts_csv(const std::vector<LayoutSummary>& rows, const LayoutOptions& options) {
  const bool known = options.shape.has_value();
  std::string out =
      "layer,steps,assignments,capacity_per_expert,capacity_rows,capacity_dropped,"
      "capacity_padding,block_rows,block_useful_share,block_metadata_bytes,grouped_flop,"
      "capacity_flop,block_flop\n";
  const auto cell = [](bool there, std::uint64_t value) {
    return there ? fmt::format("{}", value) : std::string();
  };
  for (const LayoutSummary& r : rows) {
    const bool blocks = r.block_sparse.has_value();
    const LayoutCost sparse = r.block_sparse.value_or(LayoutCost{});
    out += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{}\n", r.layer, r.steps,
                       r.grouped.assignments, r.capacity_per_expert, r.capacity.rows_executed,
                       r.dropped, r.padding, cell(blocks, sparse.rows_executed),
                       blocks ? fmt::format("{:.6f}", sparse.useful_share()) : "",
                       cell(blocks && known, r.metadata.count()),
                       cell(known, r.grouped.flop_executed), cell(known, r.capacity.flop_executed),
                       cell(blocks && known, sparse.flop_executed));
  }
  return out;
}

}  // namespace lacuna::routing
