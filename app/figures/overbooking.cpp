// SPDX-License-Identifier: Apache-2.0
#include "app/figures/overbooking.hpp"

#include "base/file.hpp"
#include "base/plot_text.hpp"
#include "report/gnuplot_text.hpp"
#include "report/result_folder.hpp"
#include "study/matrix_folder.hpp"
#include "study/overbooking/experiment.hpp"

namespace lacuna {
namespace {

std::string ratios_script() {
  const auto panel = [](const char* column) {
    const char* pairs[] = {"OB over N", "OB over P", "P over N"};
    std::vector<std::string> curves;
    for (std::size_t pair = 0; pair < 3; ++pair) {
      const std::string color = report::gnuplot::color(pair);
      curves.push_back(plot_text("figures/overbooking_ratio", fmt::arg("pair", pair + 1),
                                 fmt::arg("column", column), fmt::arg("color", color),
                                 fmt::arg("title", pairs[pair])));
    }
    curves.back() += ", 1 lw 1 lc rgb '#444444'";
    return plot_list(curves);
  };
  return report::gnuplot::script(
      "overbooking_ratios", "Geometric means over matrices of N, P and OB against each other.",
      {1200, 440}, plot_text("figures/overbooking_ratios_settings"),
      plot_text("figures/overbooking_ratios", fmt::arg("speed", panel("speed")),
                fmt::arg("traffic", panel("traffic")), fmt::arg("energy", panel("energy"))));
}

std::string share_script(double y) {
  return report::gnuplot::script(
      "overbooking_share", "Achieved share of overbooked tiles, by the number of tiles.",
      {780, 460}, plot_text("figures/overbooking_share_settings"),
      plot_text("figures/overbooking_share", fmt::arg("color", report::gnuplot::color(0)),
                fmt::arg("asked", 100 * y)));
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
