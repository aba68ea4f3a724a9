// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "app/commands.hpp"
#include "app/figure_fabric.hpp"
#include "base/error.hpp"

namespace lacuna {
namespace {

std::vector<std::string> figure_names() {
  std::vector<std::string> names{"overbooking"};
  for (const FabricFigure& figure : fabric_figures()) names.emplace_back(figure.name);
  return names;
}

int draw(const std::string& name, const FigureArguments& arguments) {
  if (name == "overbooking") return figure_overbooking(arguments);
  for (const FabricFigure& figure : fabric_figures()) {
    if (figure.name == name) return figure.draw(arguments);
  }
  throw InputError(fmt::format("{}: not a figure", name), suggest(name, figure_names()));
}

/// Each into a folder of its own; overbooking only where there are matrices for it.
int draw_all(const FigureArguments& arguments) {
  FigureArguments one = arguments;
  const std::filesystem::path out = arguments.out;
  int worst = 0;
  for (const FabricFigure& figure : fabric_figures()) {
    fmt::print("{}\n", figure.name);
    one.out = (out / figure.name).string();
    worst = std::max(worst, figure.draw(one));
  }
  one.out = (out / "overbooking").string();
  return std::max(worst, figure_overbooking(one));
}

/// What one figure takes and the others have no use for.
void refuse_stray(const CLI::App& app, const std::string& name, bool all) {
  const std::pair<const char*, std::vector<std::string>> takers[] = {
      {"--edge", {"sparsity-sweep"}}, {"--matrices", {"overbooking", "ablation"}},
      {"--only", {"overbooking"}},    {"--jobs", {"overbooking"}},
      {"--limit", {"overbooking"}},   {"--set", {"overbooking", "attention-forms"}}};
  const auto names = figure_names();
  if (!all && std::find(names.begin(), names.end(), name) == names.end()) return;  // told later
  for (const auto& [option, figures] : takers) {
    if (app.count(option) == 0) continue;
    // Settings are of one machine's keys, and figures have machines of several kinds.
    const bool taken = all ? std::string(option) != "--set"
                           : std::find(figures.begin(), figures.end(), name) != figures.end();
    if (taken) continue;
    throw InputError(fmt::format("{}: {} takes none", option, all ? "--all" : name),
                     fmt::format("leave it out; it is of {}", fmt::join(figures, " and ")));
  }
}

int execute(const std::string& name, bool all, const FigureArguments& arguments) {
  if (all != name.empty()) {
    throw InputError("one figure or all of them", "write lacuna figure NAME, or --all");
  }
  return all ? draw_all(arguments) : draw(name, arguments);
}

}  // namespace

Command add_figure(CLI::App& app) {
  auto name = std::make_shared<std::string>();
  auto arguments = std::make_shared<FigureArguments>();
  auto all = std::make_shared<bool>(false);
  std::string names = "overbooking (N, P and OB over buffer capacities)";
  for (const FabricFigure& figure : fabric_figures()) {
    names += fmt::format(", {} ({})", figure.name, figure.about);
  }
  app.add_option("name", *name, names);
  app.add_flag("--all", *all, "every figure, each in a folder of its own");
  app.add_option("--edge", arguments->edge, "of the sparsity sweep's products, 1024 by default")
      ->check(CLI::Range(64U, 16384U));
  app.add_option("--matrices", arguments->matrices,
                 "folder with the matrices; default: LACUNA_MATRICES");
  app.add_option("--out", arguments->out, "folder for tables and plots")->required();
  app.add_option("--only", arguments->only, "only these matrices, by name; repeatable")
      ->allow_extra_args(false);
  app.add_option("--set", arguments->settings, "override a value of every machine")
      ->allow_extra_args(false);
  app.add_option("--jobs", arguments->jobs, "matrices at once")->check(CLI::Range(1U, 256U));
  app.add_option("--limit", arguments->limit_s, "processor seconds that one point may take")
      ->check(CLI::PositiveNumber);
  return [name, all, arguments, &app] {
    refuse_stray(app, *name, *all);
    return execute(*name, *all, *arguments);
  };
}

}  // namespace lacuna
