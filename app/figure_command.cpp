// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <memory>

#include "app/commands.hpp"
#include "app/figure_overbooking.hpp"
#include "base/error.hpp"

namespace lacuna {
namespace {

int execute(const std::string& name, const FigureArguments& arguments) {
  if (name == "overbooking") return figure_overbooking(arguments);
  throw InputError(fmt::format("{}: not a figure", name), suggest(name, {"overbooking"}));
}

}  // namespace

Command add_figure(CLI::App& app) {
  auto name = std::make_shared<std::string>();
  auto arguments = std::make_shared<FigureArguments>();
  app.add_option("name", *name, "overbooking: N, P and OB over buffer capacities")->required();
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
  return [name, arguments] { return execute(*name, *arguments); };
}

}  // namespace lacuna
