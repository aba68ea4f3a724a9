// SPDX-License-Identifier: Apache-2.0
// The gnuplot scripts of a sweep. They read points.csv, front.csv, sensitivity.csv, heat.csv and
// parallel.csv beside them.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace lacuna::report {

struct SweepPlot {
  std::string name;
  std::vector<std::string> machines;
  std::vector<std::string> axes;
  std::vector<std::string> objectives;            // as the file says them
  std::vector<std::pair<double, double>> ranges;  // of each
  std::string heat_rows, heat_columns;            // axes; empty: no heat map
  std::vector<std::string> row_steps, column_steps;
  std::vector<std::pair<std::string, std::size_t>> sensitive;  // axis and objective of each bar
};

/// Of the first two objectives, a colour for each machine, and the front.
[[nodiscard]] std::string sweep_front_script(const SweepPlot& plot);
/// How far the steps of each axis are apart in each objective.
[[nodiscard]] std::string sweep_sensitivity_script(const SweepPlot& plot);
/// The first objective over two axes; empty without them.
[[nodiscard]] std::string sweep_heat_script(const SweepPlot& plot);
/// Axes and objectives side by side, a line for each point, those of the front in colour.
[[nodiscard]] std::string sweep_parallel_script(const SweepPlot& plot);

}  // namespace lacuna::report
