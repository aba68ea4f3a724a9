// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "app/commands.hpp"
#include "app/figure_fabric.hpp"
#include "base/error.hpp"

namespace lacuna {
namespace {

int draw(const std::string& name, const FigureArguments& arguments) {
  if (name == "overbooking") return figure_overbooking(arguments);
  std::vector<std::string> names{"overbooking"};
  for (const FabricFigure& figure : fabric_figures()) {
    if (figure.name == name) return figure.draw(arguments);
    names.emplace_back(figure.name);
  }
  throw InputError(fmt::format("{}: not a figure", name), suggest(name, names));
}

/// Each into a folder of its own; overbooking only where there are matrices for it.
int draw_all(const FigureArguments& arguments) {
  FigureArguments one = arguments;
  const std::filesystem::path out = arguments.out;
  for (const FabricFigure& figure : fabric_figures()) {
    fmt::print("{}\n", figure.name);
    one.out = (out / figure.name).string();
    (void)figure.draw(one);
  }
  one.out = (out / "overbooking").string();
  return figure_overbooking(one);
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
  return [name, all, arguments] { return execute(*name, *all, *arguments); };
}

}  // namespace lacuna
