// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

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
                        const std::string& x, const std::string& y, const std::string& more) {
  return fmt::format(
      "set title {} font ',13' textcolor rgb '#222222'\n"
      "set xlabel {}\n"
      "set ylabel {}\n"
      "set key outside below center vertical maxcols 1 Left reverse samplen 2.5 spacing 1.25 "
      "height 1\n"
      "set rmargin 4\n"
      "{}",
      gnuplot::title(title, common_workload(results), 80), gnuplot::quoted(x), gnuplot::quoted(y),
      more);
}

gnuplot::Size size_of(std::size_t entries) {
  return {780, 440 + 23 * entries};
}

}  // namespace

std::string occupancy_script(const std::vector<RunResult>& results) {
  const auto labels = run_labels(results);
  std::vector<std::string> operands;
  std::string plot;
  std::size_t curves = 0;
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
      plot += fmt::format(
          "{}'occupancy.csv' using (column('series') == {} ? column('occupancy_over_share') : "
          "NaN):(100*column('quantile')) with lines lw 2 dt {} lc rgb {} title {}",
          curves == 0 ? "  plot " : ", \\\n       ", series, dash % 5 + 1, gnuplot::color(i),
          gnuplot::quoted(title));
      ++curves;
    }
  }
  if (curves == 0) return {};
  const std::string settings = settings_of(
      results, "Tile occupancy", "Tile occupancy / buffer share (log scale)", "Tiles no larger (%)",
      "set logscale x 10\n"
      "set xrange [*<0.7:1.4<*]\n"
      "set yrange [0:100]\n"
      "# Right of this line a tile holds more than its share of the buffer.\n"
      "set arrow 1 from first 1, graph 0 to first 1, graph 1 nohead lw 1.5 dt 1 lc rgb '#444444'\n"
      "set label 1 'buffer full' at first 1, graph 0.04 rotate by 90 left offset 0.9,0 "
      "textcolor rgb '#444444'");
  return gnuplot::script("occupancy",
                         "Distribution of tile occupancy over the buffer's share, by strategy.",
                         size_of(curves), settings, plot);
}

std::string pe_load_script(const std::vector<RunResult>& results) {
  const auto labels = run_labels(results);
  std::string plot;
  std::size_t curves = 0;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const std::size_t pes = results[i].statistics.pe_busy.size();
    if (pes == 0 || results[i].statistics.cycles.count() == 0) continue;
    // Steps join the levels; each level then reaches to the right edge of its element.
    const std::string points = fmt::format(
        "'pe_load.csv' using (column('machine_index') == {} ? "
        "100.0*(column('rank')-1)/column('pes') : NaN):(100*column('busy_fraction'))",
        i + 1);
    plot += fmt::format(
        "{0}{1} with steps lw 2 lc rgb {2} title {3}, \\\n       {1}:(100.0/{4}):(0) with vectors "
        "nohead lw 2 lc rgb {2}",
        curves == 0 ? "  plot " : ", \\\n       ", points, gnuplot::color(i),
        gnuplot::quoted(fmt::format("{} ({} PEs)", shorten(labels[i], kLongestRun + 20), pes)),
        pes);
    ++curves;
  }
  if (curves == 0) return {};
  const std::string settings =
      settings_of(results, "Load of the processing elements", "PEs, the most loaded first (%)",
                  "Busy share of all cycles (%)", "set xrange [0:100]\nset yrange [0:100]");
  return gnuplot::script("pe_load", "Busy share of each processing element, sorted.",
                         size_of(curves), settings, plot);
}

}  // namespace lacuna::report
