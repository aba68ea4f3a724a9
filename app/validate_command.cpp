// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>

#include "app/commands.hpp"
#include "base/error.hpp"
#include "base/statistics.hpp"
#include "report/stall_names.hpp"
#include "report/terminal.hpp"
#include "run/product/run.hpp"
#include "run/product/workload.hpp"
#include "study/matrix_folder.hpp"
#include "study/published/comparison.hpp"
#include "study/published/rows.hpp"

namespace lacuna {
namespace {

double nanoseconds(const RunResult& result, Cycles cycles) {
  return 1e9 * static_cast<double>(cycles.count()) / result.clock.count();
}

/// Why the simulated time is above the bound: what the processing elements did meanwhile.
std::string time_remark(const RunResult& result) {
  const MachineStatistics& s = result.statistics;
  std::vector<std::pair<double, std::string>> shares;
  const double total = static_cast<double>(report::total_pe_cycles(s.stalls));
  for (const auto& name : report::kStallNames) {
    const double share = 100 * static_cast<double>(s.stalls.*name.cycles) / total;
    if (share >= 0.5) shares.emplace_back(share, name.shown);
  }
  std::sort(shares.rbegin(), shares.rend());
  std::string text =
      fmt::format("limited by {} ({:.0f} % busy), throughput bound by {}, PEs: ", s.bound,
                  100 * s.utilization.at(s.bound), s.cycles_bound_by);
  for (const auto& [share, name] : shares) {
    text += fmt::format("{}{} {:.0f} %", text.ends_with(": ") ? "" : ", ", name, share);
  }
  if (s.bounds.at("intersect") > s.cycles_bound) {
    text += fmt::format("; K1 intersection alone takes {:.2f} x the bound",
                        static_cast<double>(s.bounds.at("intersect").count()) /
                            static_cast<double>(s.cycles_bound.count()));
  }
  return text;
}

/// What the energy is made of, the largest part first.
std::string energy_remark(const RunResult& result) {
  std::vector<std::pair<double, std::string>> parts;
  for (const auto& [name, component] : result.energy.components) {
    parts.emplace_back(component.picojoules * 1e-9, name);
  }
  std::sort(parts.rbegin(), parts.rend());
  std::string text = "no target (other node and tables): ";
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].first < 0.01 * parts[0].first) break;
    text += fmt::format("{}{} {:.3g}", i == 0 ? "" : ", ", parts[i].second, parts[i].first);
  }
  return text;
}

validation::Simulated simulated_values(const RunResult& result) {
  const MachineStatistics& s = result.statistics;
  validation::Simulated out;
  for (const auto& [tensor, moved] : s.traffic.at("dram")) {
    out.values[fmt::format("dram_{}_bytes", tensor)] =
        static_cast<double>(moved.read_bytes + moved.write_bytes);
  }
  out.values["multiplies"] = static_cast<double>(s.macs_effectual);
  out.values["adds"] = static_cast<double>(s.adds);
  out.values["k0_tries"] = static_cast<double>(s.actions.at("intersect_k0").at("try"));
  out.values["k1_tries"] = static_cast<double>(s.actions.at("intersect_k1").at("try"));
  out.values["cycles_bound_ns"] = nanoseconds(result, s.cycles_bound);
  out.values["simulated_ns"] = nanoseconds(result, s.cycles);
  out.values["energy_mJ"] = result.energy.total_picojoules * 1e-9;
  out.remarks["simulated_ns"] = time_remark(result);
  out.remarks["energy_mJ"] = energy_remark(result);
  return out;
}

RunResult run_published(const validation::PublishedRun& published,
                        const std::filesystem::path& file) {
  WorkloadSpec spec;
  spec.matrix = file.string();
  const ProductWorkload workload = make_workload(spec, false, {});
  return run_product(machine_with(published.machine, published.settings), workload, {});
}

struct Totals {
  std::size_t compared = 0;
  std::size_t demanded = 0;  // of them: must hold
  std::size_t failed = 0;    // of those: do not
  std::size_t skipped = 0;   // series whose matrix is not there
  std::size_t unknown = 0;   // rows of a design that has no machine here
};

Totals validate_extensor(const std::string& given) {
  const auto folder = matrix_folder(given);
  const auto published = validation::load_runs(validation::published_file("extensor.yaml"));
  fmt::print("{}\n\n  {:<22} {:>15} {:>15} {:>9}  {}\n", published.title, "quantity", "published",
             "simulated", "error %", "remark");
  Totals totals;
  report::ProgressBar bar("validating");
  for (std::size_t i = 0; i < published.runs.size(); ++i) {
    const validation::PublishedRun& run = published.runs[i];
    bar(static_cast<double>(i) / static_cast<double>(published.runs.size()));
    const auto file = matrix_file(folder, run.matrix);
    if (!file) {
      ++totals.skipped;
      bar.erase();
      fmt::print("{}, {}: skipped, no {}.mtx[.gz] {}\n", run.matrix, run.series, run.matrix,
                 folder.empty() ? "(give a folder with --matrices or LACUNA_MATRICES)"
                                : "in " + folder.string());
      continue;
    }
    const auto lines = validation::compare(run, simulated_values(run_published(run, *file)));
    bar.erase();
    fmt::print("{}", validation::comparison_table(run, lines));
    totals.compared += lines.size();
    for (const auto& line : lines) totals.failed += line.failed ? 1 : 0;
    for (const auto& number : run.numbers) {
      totals.demanded += number.demand == validation::Demand::exact ? 1 : 0;
    }
  }
  const auto bars = validation::load_tailors(validation::published_file("tailors.csv"));
  fmt::print(
      "Tailors figure: {} matrices. Its machine is not published; `lacuna figure overbooking` puts "
      "its ratios beside simulated ones, per buffer capacity\n",
      bars.size());
  return totals;
}

/// One of the other groups; each row says how far it may be off.
struct Group {
  const char* name;
  const char* title;
  std::vector<PublishedRow> (*rows)();
};

constexpr Group kGroups[] = {
    {"tensor-cores", "TC, STC, DSTC as released with Sparseloop (micro22 artifact, Fig. 15)",
     sparseloop_rows},
    {"dstc", "DSTC Fig. 21, kernel time over that of the dense point", dstc_fig21_rows},
    {"gemm-2048", "2048 x 2048 x 2048 models, relative to the dense one", sparse_gemm_rows},
    {"highlight", "HighLight, energy-delay product", highlight_rows},
    {"models", "Whole models from their configurations", model_rows}};

/// Mean and largest error of each quantity of a group.
void print_summary(const std::vector<PublishedRow>& rows) {
  std::map<std::string, std::vector<double>> errors;
  for (const PublishedRow& row : rows) {
    if (row.problem.empty()) errors[row.quantity].push_back(std::abs(row.error()));
  }
  for (const auto& [quantity, of_quantity] : errors) {
    fmt::print("  {:<30} {:>3} numbers, mean |error| {:.3f} %, largest {:.3f} %\n", quantity,
               of_quantity.size(), 100 * mean(of_quantity),
               100 * *std::max_element(of_quantity.begin(), of_quantity.end()));
  }
}

Totals validate_group(const Group& group) {
  const std::vector<PublishedRow> rows = group.rows();
  fmt::print("\n{}\n\n  {:<54} {:<26} {:>14} {:>14} {:>9}  {}\n", group.title, "", "quantity",
             "published", "simulated", "error %", "remark");
  Totals totals;
  for (const PublishedRow& row : rows) {
    if (!row.problem.empty()) {
      fmt::print("  {}: SKIPPED, {}\n", row.label, row.problem);
      ++totals.unknown;
      continue;
    }
    fmt::print("  {:<54} {:<26} {:>14.6g} {:>14.6g} {:>9.3f}  {}{}\n", row.label, row.quantity,
               row.published, row.simulated, 100 * row.error(),
               row.fails() ? fmt::format("MORE THAN {:.3g} % OFF; ", 100 * *row.within) : "",
               row.remark);
    ++totals.compared;
    if (row.within) ++totals.demanded;
    if (row.fails()) ++totals.failed;
  }
  print_summary(rows);
  return totals;
}

int execute(const std::string& matrices, const std::string& only) {
  Totals totals;
  const auto add = [&totals](const Totals& part) {
    totals.compared += part.compared;
    totals.demanded += part.demanded;
    totals.failed += part.failed;
    totals.skipped += part.skipped;
    totals.unknown += part.unknown;
  };
  std::vector<std::string> names{"extensor"};
  for (const Group& group : kGroups) names.emplace_back(group.name);
  if (!only.empty() && std::find(names.begin(), names.end(), only) == names.end()) {
    throw InputError(fmt::format("--only {}: not a group of published numbers", only),
                     suggest(only, names));
  }
  if (!matrices.empty() && !only.empty() && only != "extensor") {
    throw InputError(fmt::format("--matrices: the group {} reads none", only),
                     "leave it out; --only extensor takes them");
  }
  if (only.empty() || only == "extensor") add(validate_extensor(matrices));
  for (const Group& group : kGroups) {
    if (only.empty() || only == group.name) add(validate_group(group));
  }
  fmt::print(
      "\n{} numbers compared, {} of them must hold and {} do not, {} series without a matrix "
      "skipped, {} rows of unknown designs\n",
      totals.compared, totals.demanded, totals.failed, totals.skipped, totals.unknown);
  return totals.failed + totals.unknown == 0 ? 0 : 1;
}

}  // namespace

Command add_validate(Options& app) {
  auto folder = std::make_shared<std::string>();
  auto only = std::make_shared<std::string>();
  app.add_option("--matrices", *folder, "folder with the matrices; default: LACUNA_MATRICES");
  app.add_option("--only", *only,
                 "one group: extensor, tensor-cores, dstc, gemm-2048, highlight, models");
  return [folder, only] { return execute(*folder, *only); };
}

}  // namespace lacuna
