// SPDX-License-Identifier: Apache-2.0
#include "workloads/routing/routing_plots.hpp"

#include <algorithm>
#include <iterator>

#include "base/plot_text.hpp"

namespace lacuna::routing {
namespace {

std::string layers_csv(const std::vector<LayerStatistics>& rows) {
  std::string out =
      "layer,tokens,assignments,min,max,max_over_mean,cv,normalised_entropy,used_experts,steps,"
      "distinct_per_step,distinct_if_uniform,top1_repeat,slot_repeat,set_repeat\n";
  for (const auto& r : rows) {
    fmt::format_to(std::back_inserter(out),
                   "{},{},{},{},{},{:.6f},{:.6f},{:.6f},{},{},{:.4f},{:.4f},{:.6f},{:.6f},{:.6f}\n",
                   r.layer, r.tokens, r.load.assignments, r.load.least, r.load.most,
                   r.load.max_over_mean, r.load.cv, r.load.normalised_entropy, r.load.used,
                   r.distinct.steps, r.distinct.mean, r.distinct.mean_expected_uniform,
                   r.repeat.top1, r.repeat.any_slot, r.repeat.whole_set);
  }
  return out;
}

template <class Source>
std::string loads_csv(const Source& source, const std::vector<std::uint32_t>& layers) {
  std::string out = "layer,expert,assignments,over_mean\n";
  for (const std::uint32_t layer : layers) {
    const auto loads = source.layer_loads(layer);
    const double mean = load_statistics(loads).mean;
    for (std::size_t e = 0; e < loads.size(); ++e) {
      fmt::format_to(std::back_inserter(out), "{},{},{},{:.6f}\n", layer, e, loads[e],
                     mean > 0 ? static_cast<double>(loads[e]) / mean : 0);
    }
  }
  return out;
}

std::string steps_csv(const RoutingTrace& trace) {
  std::string out = "step,layer,tokens,distinct,distinct_if_uniform\n";
  for (const auto& block : trace.blocks) {
    const std::size_t tokens = trace.tokens(block);
    fmt::format_to(
        std::back_inserter(out), "{},{},{},{},{:.4f}\n", block.step, block.layer, tokens,
        distinct_experts(block.ids, trace.header.experts),
        expected_distinct(trace.header.experts, trace.header.top_k, static_cast<double>(tokens)));
  }
  return out;
}

/// A script that draws <name>.svg and <name>.png alike.
PlotFile figure(const std::string& name, const std::string& settings, std::string_view plot) {
  const std::string drawing = plot_text(
      "frame/drawing", fmt::arg("name", name), fmt::arg("plot", plot), fmt::arg("width", 900),
      fmt::arg("height", 480), fmt::arg("width2", 1800), fmt::arg("height2", 960));
  return {name + ".gp", plot_text("routing/script", fmt::arg("name", name),
                                  fmt::arg("settings", settings), fmt::arg("drawing", drawing)) +
                            "\n"};
}

/// One cell per layer and expert; white is the mean, whatever the largest load.
PlotFile heat_map(const std::vector<LayerStatistics>& rows, std::uint32_t experts) {
  double most = 2;
  std::string tics;
  const std::size_t every = rows.size() / 32 + 1;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    most = std::max(most, rows[i].load.max_over_mean);
    if (i % every == 0) {
      tics += fmt::format("{}'{}' {}", tics.empty() ? "" : ", ", rows[i].layer, i);
    }
  }
  return figure("routing_loads",
                plot_text("routing/loads_settings", fmt::arg("tics", tics),
                          fmt::arg("last_expert", experts - 1),
                          fmt::arg("last_layer", rows.size() - 1), fmt::arg("most", most)),
                plot_text("routing/loads", fmt::arg("experts", experts)));
}

PlotFile imbalance() {
  return figure("routing_imbalance", plot_text("routing/imbalance_settings"),
                plot_text("routing/imbalance"));
}

PlotFile distinct() {
  return figure("routing_distinct", plot_text("routing/distinct_settings"),
                plot_text("routing/distinct"));
}

}  // namespace

std::vector<PlotFile> routing_plots(const RoutingTrace& trace) {
  const auto rows = trace_statistics(trace);
  return {{"routing_layers.csv", layers_csv(rows)},
          {"routing_loads.csv", loads_csv(trace, trace.header.layers)},
          {"routing_steps.csv", steps_csv(trace)},
          heat_map(rows, trace.header.experts),
          imbalance(),
          distinct()};
}

std::vector<PlotFile> routing_plots(const ExpertCounts& counts) {
  const auto rows = count_statistics(counts);
  return {{"routing_layers.csv", layers_csv(rows)},
          {"routing_loads.csv", loads_csv(counts, counts.layers)},
          heat_map(rows, counts.experts),
          imbalance()};
}

std::string statistics_table(const std::vector<LayerStatistics>& rows) {
  std::string out =
      fmt::format("{:>5} {:>9} {:>7} {:>7} {:>8} {:>6} {:>7} {:>14} {:>7}\n", "layer", "tokens",
                  "min", "max", "max/mean", "cv", "entropy", "distinct/step", "repeat");
  for (const auto& r : rows) {
    const std::string distinct =
        r.distinct.steps == 0 ? "-" : fmt::format("{:.2f}", r.distinct.mean);
    const std::string repeat =
        r.repeat.pairs == 0 ? "-" : fmt::format("{:.1f} %", 100 * r.repeat.top1);
    fmt::format_to(std::back_inserter(out),
                   "{:>5} {:>9} {:>7} {:>7} {:>8.3f} {:>6.3f} {:>7.4f} {:>14} {:>7}\n", r.layer,
                   r.tokens, r.load.least, r.load.most, r.load.max_over_mean, r.load.cv,
                   r.load.normalised_entropy, distinct, repeat);
  }
  return out;
}

}  // namespace lacuna::routing
