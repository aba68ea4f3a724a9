// SPDX-License-Identifier: Apache-2.0
#include "report/result_folder.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "base/error.hpp"
#include "base/file.hpp"
#include "report/csv.hpp"
#include "report/plots.hpp"
#include "report/result_json.hpp"
#include "report/run_labels.hpp"

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

std::vector<std::string> result_names(const std::vector<RunResult>& results,
                                      const ResultFiles& files) {
  std::vector<std::string> names{"result.json", "results.csv"};
  for (const std::string& figure : figure_names(files.operations)) {
    for (const char* ending : {".csv", ".gp"}) names.push_back(figure + ending);
    if (!files.plots) continue;
    for (const char* ending : {".svg", ".png"}) names.push_back(figure + ending);
  }
  std::vector<std::string> folders{""};
  if (results.size() > 1) folders = run_folders(results);
  for (const std::string& folder : folders) {
    const std::string at = folder.empty() ? folder : folder + "/";
    if (!folder.empty()) names.push_back(at + "result.json");
    names.push_back(at + "resolved.yaml");
    if (files.timeline) names.push_back(at + "timeline.json");
  }
  return names;
}

std::vector<std::string> write_results(StagedFolder& staged, const std::vector<RunResult>& results,
                                       bool plots) {
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
  return draw_and_commit(staged, plots);
}

std::vector<std::string> draw_and_commit(StagedFolder& staged, bool draw) {
  std::vector<std::string> notes;
  if (draw) {
    Rendered rendered = render_plots(staged.path());
    notes = std::move(rendered.warnings);
    if (!rendered.note.empty()) notes.push_back(std::move(rendered.note));
  }
  const auto kept = staged.commit();
  notes.insert(notes.end(), kept.begin(), kept.end());
  return notes;
}

void print_folder(const std::string& folder, const std::vector<std::string>& notes, bool json) {
  std::FILE* const to = json ? stderr : stdout;
  for (const auto& note : notes) fmt::print(to, "note: {}\n", note);
  if (!folder.empty()) fmt::print(to, "results: {}\n", folder);
}

}  // namespace lacuna::report
