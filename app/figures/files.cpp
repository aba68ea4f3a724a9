// SPDX-License-Identifier: Apache-2.0
#include "app/figures/files.hpp"

#include <fmt/format.h>

#include "base/file.hpp"
#include "report/result_folder.hpp"

namespace lacuna {

std::vector<std::string> figure_files(const std::string& name) {
  std::vector<std::string> names;
  for (const char* ending : {".csv", ".gp", ".txt", ".svg", ".png"}) names.push_back(name + ending);
  return names;
}

int write_figure(const FigureArguments& arguments, const std::string& name, const std::string& csv,
                 const std::string& script, const std::string& text) {
  StagedFolder& folder = *arguments.folder;
  write_file(folder.path() / (name + ".csv"), csv);
  write_file(folder.path() / (name + ".gp"), script);
  write_file(folder.path() / (name + ".txt"), text);
  const auto notes = report::draw_and_commit(folder);
  fmt::print("{}", text);
  report::print_folder(arguments.out, notes, false);
  return 0;
}

}  // namespace lacuna
