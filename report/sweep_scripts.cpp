// SPDX-License-Identifier: Apache-2.0
#include "report/sweep_scripts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "report/gnuplot_text.hpp"
#include "report/text_layout.hpp"

namespace lacuna::report {
namespace {

constexpr std::size_t kTitleWidth = 80, kTicWidth = 28;
constexpr std::array<int, 5> kPoints{7, 5, 9, 13, 11};  // filled: circle, square, triangles, rhomb

std::string heading(const SweepPlot& plot, const std::string& what) {
  return fmt::format(
      "set title {} font ',13' textcolor rgb '#222222'\n"
      "set datafile separator ','\n"
      "set key outside below center maxcols 3 Left reverse samplen 1.5 spacing 1.25\n",
      gnuplot::title(what, plot.name, kTitleWidth));
}

std::string objective(const SweepPlot& plot, std::size_t i) {
  return shorten(clean(plot.objectives[i]), 60);
}

/// A range with air around it, by logarithm when it is wide.
std::string axis(const char* name, std::pair<double, double> range) {
  const auto [least, most] = range;
  if (!(most > least)) return {};
  if (least > 0 && most > 20 * least) {
    return fmt::format("set logscale {}\nset {}range [{}:{}]\n", name, name, least / 1.15,
                       most * 1.15);
  }
  const double air = 0.06 * (most - least);
  return fmt::format("set {}range [{}:{}]\n", name, least - air, most + air);
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
  std::string settings = heading(plot, "Points that hold, and those that none beats");
  settings +=
      fmt::format("set xlabel {}\nset ylabel {}\nset format x '%.3g'\nset format y '%.3g'\n{}{}",
                  gnuplot::quoted(objective(plot, 0)), gnuplot::quoted(objective(plot, 1)),
                  axis("x", plot.ranges[0]), axis("y", plot.ranges[1]));
  std::string lines;
  for (std::size_t i = 0; i < plot.machines.size(); ++i) {
    lines += fmt::format(
        "{}'points.csv' using ((strcol('machine') eq {} && column('holds') == 1) ? "
        "column('objective_1') : NaN):(column('objective_2')) with points pt {} ps 0.8 lc rgb {} "
        "title {}",
        lines.empty() ? "  plot " : ", \\\n       ", gnuplot::quoted(plot.machines[i]),
        kPoints[i % kPoints.size()], gnuplot::color(i),
        gnuplot::quoted(shorten(clean(plot.machines[i]), 30)));
  }
  // In more than two objectives the front is no staircase: its points are circled.
  lines +=
      ", \\\n       'front.csv' using (column('objective_1')):(column('objective_2')) with "
      "points pt 6 ps 1.4 lw 1.4 lc rgb '#222222' title 'front'\n";
  return gnuplot::script("front", "the objectives of a sweep", {820, 600}, settings, lines);
}

std::string sweep_sensitivity_script(const SweepPlot& plot) {
  if (plot.sensitive.empty()) return {};
  std::vector<std::string> names;
  for (const auto& [axis, of] : plot.sensitive) {
    names.push_back(fmt::format("{}: {}", shorten(clean(plot.objectives[of]), 14), axis));
  }
  std::string settings = heading(plot, "What each axis does, over the mean");
  settings += fmt::format(
      "set logscale x 2\nset xlabel 'mean of its least and its largest step'\n"
      "set format x '%.3g'\nset ytics ({})\nset yrange [{}:-0.6]\nunset key\nset grid x\n"
      "set style fill solid 0.85\nset lmargin 34\n",
      tics(names), static_cast<double>(names.size()) - 0.4);
  const std::string lines =
      "  plot 'sensitivity.csv' using (column('least')):($0):(column('least')):(column('most')):"
      "($0-0.32):($0+0.32):(column('objective')) with boxxyerror lc variable\n";
  return gnuplot::script("sensitivity", "what each axis does", {820, 160 + 26 * names.size()},
                         settings, lines);
}

std::string sweep_heat_script(const SweepPlot& plot) {
  if (plot.heat_rows.empty()) return {};
  std::string settings = heading(plot, "Mean of " + objective(plot, 0) + " over all else");
  settings += fmt::format(
      "set xlabel {}\nset ylabel {}\nset xtics ({}) rotate by -30\nset ytics ({})\n"
      "set xrange [-0.5:{}]\nset yrange [-0.5:{}]\nset logscale cb\nset format cb '%.3g'\n"
      "set palette defined (0 '#fff7ec', 0.5 '#fc8d59', 1 '#7f0000')\nunset key\n",
      gnuplot::quoted(clean(plot.heat_columns)), gnuplot::quoted(clean(plot.heat_rows)),
      tics(plot.column_steps), tics(plot.row_steps),
      static_cast<double>(plot.column_steps.size()) - 0.5,
      static_cast<double>(plot.row_steps.size()) - 0.5);
  return gnuplot::script("heat", "two axes of a sweep", {820, 520}, settings,
                         "  plot 'heat.csv' using (column('column')):(column('row')):"
                         "(column('mean')) with image\n");
}

std::string sweep_parallel_script(const SweepPlot& plot) {
  std::vector<std::string> names = plot.axes;
  for (std::size_t i = 0; i < plot.objectives.size(); ++i) names.push_back(objective(plot, i));
  if (names.size() < 2) return {};
  std::string settings = heading(plot, "Points side by side: first to last step, least to largest");
  settings += fmt::format(
      "set xtics ({}) rotate by -25\nset xrange [-0.2:{}]\nset yrange [-0.03:1.03]\n"
      "set ytics ('least' 0, 'largest' 1)\nset grid x\n",
      tics(names), static_cast<double>(names.size()) - 0.8);
  return gnuplot::script(
      "parallel", "axes and objectives of a sweep", {900, 520}, settings,
      "  plot 'parallel.csv' using (column('front') == 0 ? column('place') : NaN):"
      "(column('value')) with lines lw 0.5 lc rgb '#c8c8c8' title 'points that hold', \\\n"
      "       '' using (column('front') == 1 ? column('place') : NaN):(column('value')) with lines "
      "lw 1.6 lc rgb '#d55e00' title 'front'\n");
}

}  // namespace lacuna::report
