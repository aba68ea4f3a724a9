// SPDX-License-Identifier: Apache-2.0
// Routing statistics as text tables and gnuplot scripts that draw them. The files are returned;
// whoever reports writes and renders them.
#pragma once

#include <string>
#include <vector>

#include "workloads/routing/expert_counts.hpp"
#include "workloads/routing/routing_trace.hpp"
#include "workloads/routing/statistics.hpp"

namespace lacuna::routing {

struct PlotFile {
  std::string name;  // relative to the result folder
  std::string content;
};

/// routing_layers.csv (one row per layer), routing_loads.csv (layer, expert, assignments,
/// share of the mean), for traces routing_steps.csv (step, layer, tokens, distinct experts, and the
/// number that uniform routing would touch); routing_loads.gp, routing_imbalance.gp and for traces
/// routing_distinct.gp, each of which draws its .svg and .png from them.
[[nodiscard]] std::vector<PlotFile> routing_plots(const RoutingTrace& trace);
[[nodiscard]] std::vector<PlotFile> routing_plots(const ExpertCounts& counts);

/// The rows of routing_layers.csv as a table for the terminal.
[[nodiscard]] std::string statistics_table(const std::vector<LayerStatistics>& rows);

}  // namespace lacuna::routing
