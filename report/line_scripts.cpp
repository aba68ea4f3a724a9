// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/plot_text.hpp"
#include "report/gnuplot_text.hpp"
#include "report/plot_scripts.hpp"
#include "report/run_labels.hpp"
#include "report/text_layout.hpp"

namespace lacuna::report {
namespace {

// Of an entry of the key; with its line it is not wider than the figure.
constexpr std::size_t kLongestRun = 44;
constexpr std::size_t kLongestStrategy = 26;

std::string settings_of(const std::vector<RunResult>& results, const std::string& title,
                        const std::string& x, const std::string& y, std::string_view more) {
  return plot_text(
      "lines/settings", fmt::arg("title", gnuplot::title(title, common_workload(results), 80)),
      fmt::arg("x", gnuplot::quoted(x)), fmt::arg("y", gnuplot::quoted(y)), fmt::arg("more", more));
}

gnuplot::Size size_of(std::size_t entries) {
  return {780, 440 + 23 * entries};
}

}  // namespace

std::string occupancy_script(const std::vector<RunResult>& results) {
  const auto labels = run_labels(results);
  std::vector<std::string> operands;
  std::vector<std::string> curves;
  std::size_t series = 0;  // counts as occupancy_csv() does
  for (std::size_t i = 0; i < results.size(); ++i) {
    for (const auto& [operand, t] : results[i].tiling) {
      ++series;
      if (std::find(operands.begin(), operands.end(), operand) == operands.end()) {
        operands.push_back(operand);
      }
      if (t.occupancy.empty() || t.share_bytes == 0) continue;
      const auto dash = static_cast<std::size_t>(
          std::find(operands.begin(), operands.end(), operand) - operands.begin());
      const std::string title =
          fmt::format("{}: {}, {}", shorten(labels[i], kLongestRun), shorten(clean(operand), 6),
                      shorten(clean(t.strategy), kLongestStrategy));
      curves.push_back(plot_text(
          "lines/occupancy", fmt::arg("series", series), fmt::arg("dash", dash % 5 + 1),
          fmt::arg("color", gnuplot::color(i)), fmt::arg("title", gnuplot::quoted(title))));
    }
  }
  if (curves.empty()) return {};
  const std::string settings =
      settings_of(results, "Tile occupancy", "Tile occupancy / buffer share (log scale)",
                  "Tiles no larger (%)", plot_template("lines/occupancy_settings"));
  return gnuplot::script("occupancy",
                         "Distribution of tile occupancy over the buffer's share, by strategy.",
                         size_of(curves.size()), settings, "  plot " + plot_list(curves));
}

std::string pe_load_script(const std::vector<RunResult>& results) {
  const auto labels = run_labels(results);
  std::vector<std::string> curves;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const std::size_t pes = results[i].statistics.pe_busy.size();
    if (pes == 0 || results[i].statistics.cycles.count() == 0) continue;
    const std::string title =
        gnuplot::quoted(fmt::format("{} ({} PEs)", shorten(labels[i], kLongestRun + 20), pes));
    // Steps join the levels; each level then reaches to the right edge of its element.
    const std::string points = plot_text("lines/pe_load_points", fmt::arg("run", i + 1));
    curves.push_back(plot_text("lines/pe_load", fmt::arg("points", points), fmt::arg("pes", pes),
                               fmt::arg("color", gnuplot::color(i)), fmt::arg("title", title)));
  }
  if (curves.empty()) return {};
  const std::string settings =
      settings_of(results, "Load of the processing elements", "PEs, the most loaded first (%)",
                  "Busy share of all cycles (%)", plot_template("lines/pe_load_settings"));
  return gnuplot::script("pe_load", "Busy share of each processing element, sorted.",
                         size_of(curves.size()), settings, "  plot " + plot_list(curves));
}

}  // namespace lacuna::report
