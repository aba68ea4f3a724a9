// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "app/commands.hpp"
#include "base/error.hpp"
#include "report/terminal.hpp"
#include "study/matrix_folder.hpp"
#include "study/published/extensor.hpp"
#include "study/published/rows.hpp"

namespace lacuna {
namespace {

struct Totals {
  std::size_t compared = 0;
  std::size_t demanded = 0;  // of them: must hold
  std::size_t failed = 0;    // of those: do not
  std::size_t skipped = 0;   // series whose matrix is not there
  std::size_t unknown = 0;   // rows of a design that has no machine here
};

/// Products of published matrices, from the file of that name.
Totals validate_products(const char* name, const std::string& given) {
  const auto folder = matrix_folder(given);
  const auto published = validation::load_runs(validation::published_file(name));
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
    const auto lines = run_and_compare(run, *file);
    bar.erase();
    fmt::print("{}", validation::comparison_table(run, lines));
    totals.compared += lines.size();
    for (const auto& line : lines) totals.failed += line.failed ? 1 : 0;
    for (const auto& number : run.numbers) {
      totals.demanded += number.demand == validation::Demand::exact ? 1 : 0;
    }
  }
  return totals;
}

Totals validate_extensor(const std::string& given) {
  const Totals totals = validate_products("extensor.yaml", given);
  const auto bars = validation::load_tailors(validation::published_file("tailors.csv"));
  fmt::print(
      "Tailors figure: {} matrices. Its machine is not published; `lacuna figure overbooking` puts "
      "its ratios beside simulated ones, per buffer capacity\n",
      bars.size());
  return totals;
}

void print_summary(const std::vector<PublishedRow>& rows) {
  for (const auto& [quantity, errors] : errors_by_quantity(rows)) {
    fmt::print("  {:<30} {:>3} numbers, mean |error| {:.3f} %, largest {:.3f} %\n", quantity,
               errors.numbers, 100 * errors.mean, 100 * errors.largest);
  }
}

Totals validate_group(const PublishedGroup& group) {
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
  std::vector<std::string> names{"extensor", "gamma"};
  for (const PublishedGroup& group : published_groups()) names.emplace_back(group.name);
  if (!only.empty() && std::find(names.begin(), names.end(), only) == names.end()) {
    throw InputError(fmt::format("--only {}: not a group of published numbers", only),
                     suggest(only, names));
  }
  if (!matrices.empty() && !only.empty() && only != "extensor" && only != "gamma") {
    throw InputError(fmt::format("--matrices: the group {} reads none", only),
                     "leave it out; --only extensor and --only gamma take them");
  }
  if (only.empty() || only == "extensor") add(validate_extensor(matrices));
  if (only.empty() || only == "gamma") add(validate_products("gamma.yaml", matrices));
  for (const PublishedGroup& group : published_groups()) {
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
                 "one group: extensor, gamma, tensor-cores, dstc, gemm-2048, highlight, models");
  return [folder, only] { return execute(*folder, *only); };
}

}  // namespace lacuna
