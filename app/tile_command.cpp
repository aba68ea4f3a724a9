// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <optional>

#include "app/commands.hpp"
#include "app/out_option.hpp"
#include "arch/description/read_spec.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/interrupt.hpp"
#include "base/plot_text.hpp"
#include "base/quantity_text.hpp"
#include "base/shipped_files.hpp"
#include "dataflows/microtile_tiling.hpp"
#include "report/gnuplot_text.hpp"
#include "report/result_folder.hpp"
#include "report/terminal.hpp"
#include "run/product/workload.hpp"

namespace lacuna {
namespace {

struct TileArguments {
  std::string machine;
  std::string workload_file;
  WorkloadSpec workload;
  std::vector<std::string> settings;
  std::string out;
};

struct StrategyRow {
  TileChoice choice;
  TilingStatistics statistics;
  std::vector<std::uint64_t> occupancies;
};

constexpr TilingStrategy kStrategies[] = {TilingStrategy::dense_shape, TilingStrategy::prescient,
                                          TilingStrategy::swiftiles};

std::vector<StrategyRow> try_strategies(const ProductOperands& operands,
                                        const MachineSpec& machine) {
  const TiledOperand b = operand_b(operands, machine);
  std::vector<StrategyRow> rows;
  for (const TilingStrategy strategy : kStrategies) {
    stop_if_requested();
    StrategyRow row{tile_product(operands, machine, "", strategy).b, {}, {}};
    row.occupancies = tile_occupancies(b, row.choice.shape);
    row.statistics = summarize(row.occupancies, b.share_bytes);
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string work_text(const StrategyRow& row) {
  switch (row.choice.strategy) {
    case TilingStrategy::prescient:
      return fmt::format("{} nonzeros over {} sizes", grouped(row.choice.work_nonzeros),
                         row.choice.candidates);
    case TilingStrategy::swiftiles:
      return fmt::format("{} nonzeros in {} samples", grouped(row.choice.work_nonzeros),
                         row.choice.samples);
    default:
      return "none";
  }
}

void print_rows(const ProductOperands& operands, const MachineSpec& machine,
                const std::vector<StrategyRow>& rows) {
  const TiledOperand b = operand_b(operands, machine);
  fmt::print(
      "B's share of the last-level buffer: {}; microtile {} x {}; tile = K x N coordinates\n\n",
      human_bytes(static_cast<double>(b.share_bytes)), machine.microtile.k0, machine.microtile.n0);
  fmt::print("{:<12} {:>20} {:>9} {:>11} {:>8} {:>10} {:>10} {:>10}  {}\n", "strategy", "tile",
             "tiles", "overbooked", "in use", "median", "90 %", "largest", "work");
  for (const StrategyRow& row : rows) {
    const auto [outer, inner] = b.grid->shape();
    const TilingStatistics& s = row.statistics;
    const auto at = [&s](double q) {
      for (const auto& [quantile, bytes] : s.quantiles) {
        if (quantile == q) return static_cast<double>(bytes);
      }
      return 0.0;
    };
    fmt::print("{:<12} {:>20} {:>9} {:>9.1f} % {:>6.1f} % {:>10} {:>10} {:>10}  {}{}\n",
               to_text(row.choice.strategy),
               fmt::format("{} x {}", grouped(row.choice.shape.inner * inner),
                           grouped(row.choice.shape.outer * outer)),
               grouped(s.tiles), 100 * s.overbooked_share, 100 * s.utilization,
               human_bytes(at(0.5)), human_bytes(at(0.9)),
               human_bytes(static_cast<double>(s.largest)), work_text(row),
               row.choice.clamped ? " (whole tensor)" : "");
  }
}

std::string occupancy_csv(const std::vector<StrategyRow>& rows, std::uint64_t share) {
  std::string csv = "strategy,quantile,occupancy_bytes,occupancy_over_share\n";
  for (const StrategyRow& row : rows) {
    for (const auto& [quantile, bytes] : row.statistics.quantiles) {
      csv += fmt::format("{},{},{},{:.6g}\n", to_text(row.choice.strategy), quantile, bytes,
                         static_cast<double>(bytes) / static_cast<double>(share));
    }
  }
  return csv;
}

/// One data block per strategy, for gnuplot: occupancy over the share, cumulative share of tiles.
std::string occupancy_data(const std::vector<StrategyRow>& rows, std::uint64_t share) {
  std::string data;
  for (const StrategyRow& row : rows) {
    std::vector<std::uint64_t> sorted = row.occupancies;
    std::sort(sorted.begin(), sorted.end());
    data += fmt::format("# {}\n", to_text(row.choice.strategy));
    const std::size_t step = std::max<std::size_t>(1, sorted.size() / 2000);
    for (std::size_t i = 0; i < sorted.size(); i += step) {
      data += fmt::format("{:.6g} {:.6g}\n",
                          static_cast<double>(sorted[i]) / static_cast<double>(share),
                          static_cast<double>(i + 1) / static_cast<double>(sorted.size()));
    }
    if (!sorted.empty()) {
      data += fmt::format("{:.6g} 1\n",
                          static_cast<double>(sorted.back()) / static_cast<double>(share));
    }
    data += "\n\n";
  }
  return data;
}

std::string occupancy_script(const std::vector<StrategyRow>& rows, const std::string& name) {
  std::vector<std::string> curves;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    curves.push_back(plot_text("figures/tile_occupancy_curve", fmt::arg("strategy", i),
                               fmt::arg("color", report::gnuplot::color(i)),
                               fmt::arg("title", to_text(rows[i].choice.strategy))));
  }
  const std::string title = report::gnuplot::quoted("Occupancy of B's tiles, " + name);
  return plot_text("figures/tile_occupancy", fmt::arg("title", title),
                   fmt::arg("curves", fmt::join(curves, ", "))) +
         "\n";
}

int execute(const TileArguments& arguments) {
  std::optional<StagedFolder> folder;  // what cannot be written is told before the work
  if (!arguments.out.empty()) {
    folder.emplace(
        arguments.out, "tile",
        std::vector<std::string>{"tile_occupancy.csv", "tile_occupancy.dat", "tile_occupancy.gp",
                                 "tile_occupancy.png", "tile_occupancy.svg"});
  }
  const ConfigReader reader =
      machine_reader(load_config("arch", arguments.machine, arguments.settings));
  MachineSpec machine = read_machine(reader);
  reader.finish();
  if (arguments.workload.matrix.empty()) {
    throw InputError("no matrix is given", "lacuna tile MATRIX --arch extensor-ob");
  }
  report::ProgressBar bar("reading " + arguments.workload.matrix);
  ProductWorkload workload = make_workload(arguments.workload, false, bar.callback());
  bar.erase();
  machine.microtile = choose_microtile(workload.a, workload.b_transposed, machine).shape;
  const ProductOperands operands(std::move(workload.a), std::move(workload.b_transposed),
                                 machine.microtile);
  const auto rows = try_strategies(operands, machine);
  fmt::print("{}: {} x {}, {} nonzeros, on {}\n", workload.name,
             grouped(operands.b_transposed.cols), grouped(operands.b_transposed.rows),
             grouped(operands.b_grid.nnz()), machine.name);
  print_rows(operands, machine, rows);
  std::vector<std::string> notes;
  if (folder) {
    const std::uint64_t share = operand_b(operands, machine).share_bytes;
    write_file(folder->path() / "tile_occupancy.csv", occupancy_csv(rows, share));
    write_file(folder->path() / "tile_occupancy.dat", occupancy_data(rows, share));
    write_file(folder->path() / "tile_occupancy.gp", occupancy_script(rows, workload.name));
    notes = report::draw_and_commit(*folder);
  }
  report::print_folder(arguments.out, notes, false);
  return 0;
}

}  // namespace

Command add_tile(Options& app) {
  auto arguments = std::make_shared<TileArguments>();
  app.add_option("matrix", arguments->workload.matrix, "a matrix file or a generator").required();
  app.add_option("--arch", arguments->machine, "machine: a file or a shipped name").required();
  app.add_option("--matrix-b", arguments->workload.matrix_b, "B, otherwise B is A");
  app.add_flag("--bt", arguments->workload.transpose_b, "multiply by the transpose of B");
  app.add_option("--set", arguments->settings, "override a value").one_at_a_time();
  add_out_option(app, arguments->out, "folder for the occupancy table and plot");
  return [arguments] { return execute(*arguments); };
}

}  // namespace lacuna
