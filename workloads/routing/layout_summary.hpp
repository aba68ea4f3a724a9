// SPDX-License-Identifier: Apache-2.0
// The three ways to execute uneven experts (execution_layouts.hpp) over all steps of a recording,
// each step laid out by itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "workloads/routing/execution_layouts.hpp"
#include "workloads/routing/expert_counts.hpp"
#include "workloads/routing/trace_binding.hpp"

namespace lacuna::routing {

struct LayoutOptions {
  std::optional<ExpertShape> shape;  // without it rows are counted, but no FLOP and no metadata
  std::uint64_t block = 128;
  CapacityRule capacity{CapacityRule::Flavour::kMegaBlocks, 1.25, 1};
  const TraceBinding* binding = nullptr;  // the experts of another model
};

/// Sums over the steps of one recorded layer.
struct LayoutSummary {
  std::uint32_t layer = 0;  // of the recording
  std::uint64_t steps = 0;
  LayoutCost grouped;  // rows as routed
  LayoutCost capacity;
  std::uint64_t capacity_per_expert = 0;  // of the largest step
  std::uint64_t dropped = 0;
  std::uint64_t padding = 0;
  std::optional<LayoutCost> block_sparse;
  std::string refused;  // why block-sparse execution is not possible, when it is not
  Bytes metadata{};     // of the block topology and its transpose
};

/// One row per recorded layer. Counts that do not tell steps are one step. Throws InputError for a
/// block or capacity factor that makes no sense, and for counts whose FLOP do not fit 64 bits.
[[nodiscard]] std::vector<LayoutSummary> layout_summaries(const RoutingTrace& trace,
                                                          const LayoutOptions& options);
[[nodiscard]] std::vector<LayoutSummary> layout_summaries(const ExpertCounts& counts,
                                                          const LayoutOptions& options);

/// A table for the terminal, and routing_layouts.csv.
[[nodiscard]] std::string layouts_table(const std::vector<LayoutSummary>& rows,
                                        const LayoutOptions& options);
[[nodiscard]] std::string layouts_csv(const std::vector<LayoutSummary>& rows,
                                      const LayoutOptions& options);

}  // namespace lacuna::routing
