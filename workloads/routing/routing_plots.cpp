// SPDX-License-Identifier: Apache-2.0
#include "workloads/routing/routing_plots.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

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
PlotFile figure(const std::string& name, const std::string& settings, const std::string& plot) {
  return {name + ".gp",
          fmt::format(R"(# Reads the tables beside it: gnuplot {0}.gp draws {0}.svg and {0}.png
set encoding utf8
set datafile separator ','
set key outside right top
{1}do for [file in 'svg png'] {{
  if (file eq 'svg') {{
    set terminal svg noenhanced size 900,480 font 'DejaVu Sans,12' background rgb 'white'
  }} else {{
    if (strstrt(GPVAL_TERMINALS, 'pngcairo') > 0) {{
      set terminal pngcairo noenhanced size 1800,960 font 'DejaVu Sans,12' fontscale 2 linewidth 2 background rgb 'white'
    }} else {{
      set terminal png noenhanced size 1800,960 font 'DejaVu Sans,24' linewidth 2 background rgb 'white'
    }}
  }}
  set output '{0}.'.file
  {2}
  unset output
}}
)",
                      name, settings, plot)};
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
  return figure(
      "routing_loads",
      fmt::format(R"(set title 'Assignments per expert over the mean'
set xlabel 'expert'
set ylabel 'layer'
set ytics ({})
set xrange [-0.5:{}.5]
set yrange [-0.5:{}.5]
set cbrange [0:{:.3f}]
set palette defined (0 '#2166ac', 1 '#ffffff', {:.3f} '#b2182b')
)",
                  tics, experts - 1, rows.size() - 1, most, most),
      fmt::format("plot 'routing_loads.csv' skip 1 using 2:(int($0/{})):4 with image notitle",
                  experts));
}

PlotFile imbalance() {
  return figure(
      "routing_imbalance", R"(set title 'Imbalance of experts'
set xlabel 'layer'
set ylabel 'max / mean'
set y2label 'normalised entropy (1 is even)'
set offsets graph 0.02, graph 0.02, graph 0.05, graph 0.05
set ytics nomirror
set y2tics
)",
      R"(plot 'routing_layers.csv' skip 1 using 1:6 with linespoints pt 7 title 'max / mean', \
       '' skip 1 using 1:8 axes x1y2 with linespoints pt 5 title 'entropy')");
}

PlotFile distinct() {
  return figure(
      "routing_distinct", R"(set title 'Distinct experts of a step'
set xlabel 'tokens in the step'
set ylabel 'distinct experts'
set cblabel 'layer'
set palette defined (0 '#2166ac', 1 '#1a9850', 2 '#d73027')
set logscale x
set offsets graph 0.02, graph 0.02, graph 0.05, graph 0.05
)",
      R"(plot 'routing_steps.csv' skip 1 using 3:4:2 with points pt 7 ps 0.4 lc palette title 'recorded', \
       '' skip 1 using 3:5 with points pt 1 lc rgb 'black' title 'uniform')");
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
