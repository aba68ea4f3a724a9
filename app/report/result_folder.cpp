// SPDX-License-Identifier: Apache-2.0
#include "app/report/result_folder.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "app/report/csv.hpp"
#include "app/report/plots.hpp"
#include "app/report/result_json.hpp"
#include "app/report/run_labels.hpp"
#include "base/error.hpp"
#include "base/file.hpp"

namespace lacuna::report {
namespace {

namespace fs = std::filesystem;

/// What belongs to one run alone.
void write_own(const fs::path& folder, const RunResult& result) {
  if (result.resolved.kind != ConfigTree::Kind::null) {
    write_file(folder / "resolved.yaml",
               "# The run as it was resolved, defaults included; this file alone reproduces it.\n" +
                   result.resolved.to_yaml() + "\n");
  }
  if (!result.timeline.empty()) write_file(folder / "timeline.json", result.timeline);
}

void write_each(const fs::path& folder, const std::vector<RunResult>& results) {
  const auto names = run_folders(results);
  for (std::size_t i = 0; i < results.size(); ++i) {
    const fs::path own = folder / names[i];
    std::error_code error;
    if (!fs::create_directory(own, error)) {
      throw InputError(Place{own.string(), 0, {}}, "cannot write: " + error.message(),
                       "choose another folder with --out, or free some space");
    }
    write_file(own / "result.json", result_json(results[i]));
    write_own(own, results[i]);
  }
}

}  // namespace

std::vector<std::string> write_results(const fs::path& folder,
                                       const std::vector<RunResult>& results,
                                       const WriteOptions& options) {
  StagedFolder staged(folder);
  const fs::path& at = staged.path();
  write_file(at / "result.json", results_json(results));
  write_file(at / "results.csv", results_csv(results));
  for (const Figure& figure : figures(results)) {
    write_file(at / (figure.name + ".csv"), figure.csv);
    if (!figure.script.empty()) write_file(at / (figure.name + ".gp"), figure.script);
  }
  if (results.size() == 1) {
    write_own(at, results.front());
  } else {
    write_each(at, results);
  }
  std::vector<std::string> notes;
  if (options.plots) {
    Rendered rendered = render_plots(at);
    notes = std::move(rendered.warnings);
    if (!rendered.note.empty()) notes.push_back(std::move(rendered.note));
  }
  if (options.before_commit) options.before_commit();
  staged.commit();
  return notes;
}

void print_folder(const std::string& folder, const std::vector<std::string>& notes, bool json) {
  std::FILE* const to = json ? stderr : stdout;
  for (const auto& note : notes) fmt::print(to, "note: {}\n", note);
  if (!folder.empty()) fmt::print(to, "results: {}\n", folder);
}

}  // namespace lacuna::report
