// SPDX-License-Identifier: Apache-2.0
#include "app/figures/fabric.hpp"

#include <map>

#include "app/figures/files.hpp"
#include "app/figures/models.hpp"
#include "base/csv_text.hpp"
#include "base/plot_text.hpp"
#include "report/csv.hpp"
#include "report/gnuplot_text.hpp"
#include "study/ablation.hpp"
#include "study/matrix_folder.hpp"
#include "study/published/rows.hpp"
#include "study/sparsity_sweep.hpp"

namespace lacuna {
namespace {

namespace gp = report::gnuplot;

/// Series by series, `count` rows each, against a row number; ready for "index" plots.
std::string curves(const std::string& file, const std::vector<std::string>& names,
                   const std::string& x, const std::string& column) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    out.push_back(plot_text("figures/curve", fmt::arg("file", file), fmt::arg("series", i + 1),
                            fmt::arg("x", x), fmt::arg("column", column),
                            fmt::arg("point", i % 7 + 4), fmt::arg("color", gp::color(i)),
                            fmt::arg("title", gp::quoted(names[i]))));
  }
  return plot_list(out);
}

int sparsity_sweep_figure(const FigureArguments& arguments) {
  const auto points = sparsity_sweep(arguments.edge);
  std::string csv =
      "point,series,machine,a_sparsity,b_sparsity,a_pattern,b_pattern,cycles,"
      "energy_pj,latency,energy,edp,unsupported\n";
  const auto machines = sweep_machines();
  std::string tics;
  const std::size_t count = machines.size();
  for (std::size_t series = 0; series < count; ++series) {  // a curve's rows stand together
    for (std::size_t at = 0; at < points.size() / count; ++at) {
      const SparsityPoint& p = points[at * count + series];
      const auto value = [&](double x) { return x > 0 ? fmt::format("{}", x) : std::string(); };
      csv += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{}\n", at + 1, series + 1, p.machine,
                         p.a_sparsity, p.b_sparsity, csv_field(p.a_pattern), csv_field(p.b_pattern),
                         p.result.statistics.cycles.count(), p.result.energy.total_picojoules,
                         value(p.latency), value(p.energy), value(p.edp),
                         csv_field(p.result.unsupported));
      if (series > 0) continue;
      tics += fmt::format("{}'A {} B {}' {}", tics.empty() ? "" : ", ", p.a_sparsity, p.b_sparsity,
                          at + 1);
    }
  }
  const auto panel = [&](const char* column) {
    return curves("sparsity-sweep.csv", machines, "column('point')", column);
  };
  const std::string settings = plot_text("figures/sweep_settings", fmt::arg("tics", tics));
  const std::string plot =
      plot_text("figures/sweep", fmt::arg("latency", panel("latency")),
                fmt::arg("energy", panel("energy")), fmt::arg("edp", panel("edp")));
  return write_figure(arguments, "sparsity-sweep", csv,
                      gp::script("sparsity-sweep", "Every machine of the class over sparsity.",
                                 {1700, 560}, settings, plot),
                      sweep_table(points));
}

/// Published beside simulated, row after row, and the error below.
int rows_figure(const FigureArguments& arguments, const std::string& name, const std::string& about,
                const std::vector<PublishedRow>& rows) {
  std::string csv = "row,series,label,quantity,published,simulated,error_percent,remark\n";
  std::vector<std::string> series;
  std::map<std::string, std::size_t> in_series;
  std::string text = fmt::format("{:<54} {:<26} {:>14} {:>14} {:>9}\n", about, "quantity",
                                 "published", "simulated", "error %");
  for (const PublishedRow& row : rows) {
    if (!row.problem.empty()) throw InputError(row.problem);
    auto at = std::find(series.begin(), series.end(), row.quantity);
    if (at == series.end()) at = series.insert(series.end(), row.quantity);
    csv += fmt::format("{},{},{},{},{},{},{},{}\n", ++in_series[row.quantity],
                       at - series.begin() + 1, csv_field(row.label), row.quantity, row.published,
                       row.simulated, 100 * row.error(), csv_field(row.remark));
    text += fmt::format("{:<54} {:<26} {:>14.6g} {:>14.6g} {:>9.3f}\n", row.label, row.quantity,
                        row.published, row.simulated, 100 * row.error());
  }
  std::string panels;
  for (const char* piece : {"figures/rows_values", "figures/rows_errors"}) {
    const bool errors = piece == std::string("figures/rows_errors");
    for (std::size_t s = 0; s < series.size(); ++s) {
      panels += plot_text(piece, fmt::arg("file", name + ".csv"), fmt::arg("series", s + 1),
                          fmt::arg("quantity", gp::quoted(series[s])),
                          fmt::arg("color", gp::color(errors ? 5 : 0)));
    }
  }
  const std::string plot =
      plot_text("figures/rows", fmt::arg("series", series.size()),
                fmt::arg("title", gp::quoted(about)), fmt::arg("panels", panels));
  return write_figure(
      arguments, name, csv,
      gp::script(name, about, {620 * series.size(), 760}, plot_text("figures/rows_settings"), plot),
      text);
}

int tensor_cores_figure(const FigureArguments& arguments) {
  return rows_figure(arguments, "tensor-cores", "Released tensor-core runs", sparseloop_rows());
}

int dstc_figure(const FigureArguments& arguments) {
  return rows_figure(arguments, "dstc", "DSTC Fig. 21, normalised time", dstc_fig21_rows());
}

int gemm_figure(const FigureArguments& arguments) {
  return rows_figure(arguments, "gemm-2048", "2048 x 2048 x 2048 models", sparse_gemm_rows());
}

int ablation_figure(const FigureArguments& arguments) {
  std::vector<FabricWorkload> workloads = ablation_workloads();
  if (const auto folder = matrix_folder(arguments.matrices); !folder.empty()) {
    for (auto&& more : {ablation_layers(folder.string()), ablation_matrices(folder.string())}) {
      workloads.insert(workloads.end(), more.begin(), more.end());
    }
  }
  const auto points = ablation(std::move(workloads));
  const std::vector<std::string> names{"all three", "no Swiftiles",  "no Tailors",      "HSS alone",
                                       "no HSS",    "Tailors alone", "Swiftiles alone", "none"};
  std::string tics;
  for (std::size_t i = 0; i < points.size(); i += 8) {
    tics += fmt::format("{}{} {}", i == 0 ? "" : ", ",
                        gp::joined_tic(gp::lines_of(points[i].operands, 17, 4)), i / 8 + 1);
  }
  const auto panel = [&](const char* column) {
    std::vector<std::string> boxes;
    for (std::size_t s = 0; s < names.size(); ++s) {
      const double offset = 0.1 * (static_cast<double>(s) - 3.5);
      boxes.push_back(plot_text("figures/ablation_boxes", fmt::arg("setting", s + 1),
                                fmt::arg("offset", offset), fmt::arg("column", column),
                                fmt::arg("color", gp::color(s)),
                                fmt::arg("title", gp::quoted(names[s]))));
    }
    return plot_list(boxes);
  };
  const std::string settings = plot_text("figures/ablation_settings", fmt::arg("tics", tics),
                                         fmt::arg("cases", points.size() / 8));
  const std::string plot = plot_text("figures/ablation", fmt::arg("cycles", panel("cycles_ratio")),
                                     fmt::arg("traffic", panel("traffic_ratio")),
                                     fmt::arg("energy", panel("energy_ratio")));
  return write_figure(arguments, "ablation", ablation_csv(points),
                      gp::script("ablation", "The three ideas, each switched off by itself.",
                                 {points.size() / 8 * 130 + 300, 1000}, settings, plot),
                      ablation_table(points));
}

}  // namespace

const std::vector<FabricFigure>& fabric_figures() {
  static const std::vector<FabricFigure> kFigures{
      {"sparsity-sweep", "every machine of the class over the sparsity of A and B",
       sparsity_sweep_figure},
      {"tensor-cores", "released tensor-core runs beside ours", tensor_cores_figure},
      {"dstc", "DSTC's Fig. 21 beside the law and the data-driven mode", dstc_figure},
      {"gemm-2048", "the 2048 cubed models beside ours", gemm_figure},
      {"token-tiles", "experts' token tiles by strategy and batch", token_tiles_figure},
      {"attention-forms", "naive and absorbed MLA over query tokens; DSA over context",
       attention_forms_figure},
      {"ablation", "lacuna with each of its ideas switched off", ablation_figure}};
  return kFigures;
}

}  // namespace lacuna
