// SPDX-License-Identifier: Apache-2.0
#include "report/sweep_scripts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/plot_text.hpp"
#include "report/gnuplot_text.hpp"
#include "report/text_layout.hpp"

namespace lacuna::report {
namespace {

constexpr std::size_t kTitleWidth = 80, kTicWidth = 28;
constexpr std::array<int, 5> kPoints{7, 5, 9, 13, 11};  // filled: circle, square, triangles, rhomb

std::string heading(const SweepPlot& plot, const std::string& what) {
  return plot_text("sweep/heading",
                   fmt::arg("title", gnuplot::title(what, plot.name, kTitleWidth)));
}

std::string objective(const SweepPlot& plot, std::size_t i) {
  return shorten(clean(plot.objectives[i]), 60);
}

/// A range with air around it, by logarithm when it is wide.
std::string axis(const char* name, std::pair<double, double> range) {
  const auto [least, most] = range;
  if (!(most > least)) return {};
  const bool log = least > 0 && most > 20 * least;
  const double air = 0.06 * (most - least);
  return plot_text(log ? "sweep/log_range" : "sweep/range", fmt::arg("axis", name),
                   fmt::arg("least", log ? least / 1.15 : least - air),
                   fmt::arg("most", log ? most * 1.15 : most + air));
}

/// "'a' 0, 'b' 1": names at whole numbers of an axis.
std::string tics(const std::vector<std::string>& names) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    out += fmt::format("{}{} {}", i == 0 ? "" : ", ",
                       gnuplot::joined_tic({shorten(clean(names[i]), kTicWidth)}), i);
  }
  return out;
}

}  // namespace

std::string sweep_front_script(const SweepPlot& plot) {
  if (plot.objectives.size() < 2) return {};
  const std::string settings =
      heading(plot, "Points that hold, and those that none beats") +
      plot_text("sweep/front_settings", fmt::arg("x", gnuplot::quoted(objective(plot, 0))),
                fmt::arg("y", gnuplot::quoted(objective(plot, 1)))) +
      axis("x", plot.ranges[0]) + axis("y", plot.ranges[1]);
  std::vector<std::string> curves;
  for (std::size_t i = 0; i < plot.machines.size(); ++i) {
    const std::string& machine = plot.machines[i];
    curves.push_back(plot_text("sweep/front_points", fmt::arg("machine", gnuplot::quoted(machine)),
                               fmt::arg("point", kPoints[i % kPoints.size()]),
                               fmt::arg("color", gnuplot::color(i)),
                               fmt::arg("title", gnuplot::quoted(shorten(clean(machine), 30)))));
  }
  // In more than two objectives the front is no staircase: its points are circled.
  curves.emplace_back(plot_template("sweep/front"));
  return gnuplot::script("front", "the objectives of a sweep", {820, 600}, settings,
                         "  plot " + plot_list(curves) + '\n');
}

std::string sweep_sensitivity_script(const SweepPlot& plot) {
  if (plot.sensitive.empty()) return {};
  std::vector<std::string> names;
  for (const auto& [axis, of] : plot.sensitive) {
    names.push_back(fmt::format("{}: {}", shorten(clean(plot.objectives[of]), 14), axis));
  }
  const std::string settings =
      heading(plot, "What each axis does, over the mean") +
      plot_text("sweep/sensitivity_settings", fmt::arg("tics", tics(names)),
                fmt::arg("last", static_cast<double>(names.size()) - 0.4));
  return gnuplot::script("sensitivity", "what each axis does", {820, 160 + 26 * names.size()},
                         settings, fmt::format("  plot {}\n", plot_template("sweep/sensitivity")));
}

std::string sweep_heat_script(const SweepPlot& plot) {
  if (plot.heat_rows.empty()) return {};
  const std::string settings =
      heading(plot, "Mean of " + objective(plot, 0) + " over all else") +
      plot_text("sweep/heat_settings", fmt::arg("x", gnuplot::quoted(clean(plot.heat_columns))),
                fmt::arg("y", gnuplot::quoted(clean(plot.heat_rows))),
                fmt::arg("xtics", tics(plot.column_steps)), fmt::arg("ytics", tics(plot.row_steps)),
                fmt::arg("right", static_cast<double>(plot.column_steps.size()) - 0.5),
                fmt::arg("top", static_cast<double>(plot.row_steps.size()) - 0.5));
  return gnuplot::script("heat", "two axes of a sweep", {820, 520}, settings,
                         fmt::format("  plot {}\n", plot_template("sweep/heat")));
}

std::string sweep_parallel_script(const SweepPlot& plot) {
  std::vector<std::string> names = plot.axes;
  for (std::size_t i = 0; i < plot.objectives.size(); ++i) names.push_back(objective(plot, i));
  if (names.size() < 2) return {};
  const std::string settings =
      heading(plot, "Points side by side: first to last step, least to largest") +
      plot_text("sweep/parallel_settings", fmt::arg("tics", tics(names)),
                fmt::arg("right", static_cast<double>(names.size()) - 0.8));
  const std::vector<std::string> curves{std::string(plot_template("sweep/parallel_others")),
                                        std::string(plot_template("sweep/parallel_front"))};
  return gnuplot::script("parallel", "axes and objectives of a sweep", {900, 520}, settings,
                         "  plot " + plot_list(curves) + '\n');
}

}  // namespace lacuna::report
