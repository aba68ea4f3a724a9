// SPDX-License-Identifier: Apache-2.0
#include "app/figures/overbooking.hpp"

#include <fmt/format.h>

#include "base/file.hpp"
#include "report/gnuplot_text.hpp"
#include "report/result_folder.hpp"
#include "study/matrix_folder.hpp"
#include "study/overbooking/experiment.hpp"

namespace lacuna {
namespace {

std::string ratios_script() {
  std::string plot = "  set multiplot layout 1,3\n";
  const char* pairs[] = {"OB over N", "OB over P", "P over N"};
  const std::pair<const char*, const char*> panels[] = {
      {"speed", "Speed"}, {"traffic", "Off-chip traffic"}, {"energy", "Energy"}};
  for (const auto& [column, title] : panels) {
    plot += fmt::format("  set title '{}, times better'\n  plot ", title);
    for (std::size_t pair = 0; pair < 3; ++pair) {
      plot += fmt::format(
          "{}'overbooking_ratios.csv' using (column('pair') == {} ? column('capacity_bytes')/1024 "
          ": NaN):'{}' with linespoints lw 2 pt 7 ps 0.6 lc rgb {} title '{}'",
          pair == 0 ? "" : ", \\\n       ", pair + 1, column, report::gnuplot::color(pair),
          pairs[pair]);
    }
    plot += fmt::format(", 1 lw 1 lc rgb '#444444'\n");
  }
  plot += "  unset multiplot";
  return report::gnuplot::script(
      "overbooking_ratios", "Geometric means over matrices of N, P and OB against each other.",
      {1200, 440},
      "set logscale x 2\nset logscale y 10\nset xlabel 'Last-level buffer (KiB)'\n"
      "set xtics rotate by -45\nset key outside below center horizontal",
      plot);
}

std::string share_script(double y) {
  const std::string plot = fmt::format(
      "  plot 'overbooking.csv' using (strcol('contender') eq 'OB' && column('tiles') > 0 && "
      "column('whole_tensor') == 0 && column('one_microtile') == 0 ? column('tiles') : NaN):"
      "(100*column('overbooked_fraction')) with points pt 7 ps 0.7 lc rgb {} title 'one matrix at "
      "one capacity', \\\n       {:g} lw 2 lc rgb '#444444' title 'asked for'",
      report::gnuplot::color(0), 100 * y);
  return report::gnuplot::script(
      "overbooking_share", "Achieved share of overbooked tiles, by the number of tiles.",
      {780, 460},
      "set logscale x 10\nset yrange [0:*]\nset xlabel 'Tiles of B (log scale)'\n"
      "set ylabel 'Overbooked tiles (%)'\nset key outside below center",
      plot);
}

}  // namespace

std::vector<std::string> overbooking_names() {
  std::vector<std::string> names{"overbooking.csv", "overbooking_ratios.csv", "summary.txt"};
  for (const std::string script : {"overbooking_ratios", "overbooking_share"}) {
    for (const char* ending : {".gp", ".svg", ".png"}) names.push_back(script + ending);
  }
  return names;
}

int figure_overbooking(const FigureArguments& arguments) {
  const auto bars = validation::load_tailors(validation::published_file("tailors.csv"));
  const double y = machine_with("extensor-ob", arguments.settings).tiling.overbooked_share;
  StagedFolder& folder = *arguments.folder;
  const OverbookingStudy study = run_overbooking(
      {arguments.matrices, arguments.settings, arguments.only, arguments.jobs, arguments.limit_s},
      folder.path(), [](const std::string& matrix, std::size_t points) {
        fmt::print("{}: {} points\n", matrix, points);
        std::fflush(stdout);
      });
  const auto& points = study.points;
  const std::string summary =
      study.left_out_text() + validation::overbooking_summary(points, y, bars);
  write_file(folder.path() / "overbooking.csv", validation::points_csv(points));
  write_file(folder.path() / "overbooking_ratios.csv", validation::improvements_csv(points));
  write_file(folder.path() / "summary.txt", summary);
  write_file(folder.path() / "overbooking_ratios.gp", ratios_script());
  write_file(folder.path() / "overbooking_share.gp", share_script(y));
  const auto notes = report::draw_and_commit(folder);
  fmt::print("\n{}", summary);
  report::print_folder(arguments.out, notes, false);
  if (study.worst_code() != 0) {
    fmt::print(stderr, "lacuna: the figure lacks workloads that failed; see summary.txt\n");
  }
  return study.worst_code();
}

}  // namespace lacuna
