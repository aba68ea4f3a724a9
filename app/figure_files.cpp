// SPDX-License-Identifier: Apache-2.0
#include "app/figure_files.hpp"

#include <fmt/format.h>

#include "app/report/plots.hpp"
#include "app/report/result_folder.hpp"
#include "base/file.hpp"

namespace lacuna {

int write_figure(const FigureArguments& arguments, const std::string& name, const std::string& csv,
                 const std::string& script, const std::string& text) {
  StagedFolder folder(arguments.out, "figure.json");
  write_file(folder.path() / "figure.json",
             fmt::format("{{\n  \"schema\": \"lacuna.figure/1\",\n  \"name\": \"{}\"\n}}\n", name));
  write_file(folder.path() / (name + ".csv"), csv);
  write_file(folder.path() / (name + ".gp"), script);
  write_file(folder.path() / (name + ".txt"), text);
  report::Rendered rendered = report::render_plots(folder.path());
  folder.commit();
  if (!rendered.note.empty()) rendered.warnings.push_back(rendered.note);
  fmt::print("{}", text);
  report::print_folder(arguments.out, rendered.warnings, false);
  return 0;
}

}  // namespace lacuna
