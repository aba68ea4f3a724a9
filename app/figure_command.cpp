// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <memory>

#include "app/commands.hpp"
#include "app/figures/fabric.hpp"
#include "app/figures/files.hpp"
#include "app/out_option.hpp"
#include "base/error.hpp"
#include "report/staged_folder.hpp"

namespace lacuna {
namespace {

struct Figure {
  std::string name;
  std::function<int(const FigureArguments&)> draw;
  std::vector<std::string> files;  // that it leaves
};

std::vector<Figure> all_figures() {
  std::vector<Figure> figures;
  for (const FabricFigure& figure : fabric_figures()) {
    figures.push_back({figure.name, figure.draw, figure_files(figure.name)});
  }
  figures.push_back({"overbooking", figure_overbooking, overbooking_names()});
  return figures;
}

int draw(const std::string& name, FigureArguments arguments) {
  std::vector<std::string> names;
  for (const Figure& figure : all_figures()) {
    names.push_back(figure.name);
    if (figure.name != name) continue;
    StagedFolder folder(arguments.out, "figure", figure.files);
    arguments.folder = &folder;
    return figure.draw(arguments);
  }
  throw InputError(fmt::format("{}: not a figure", name), suggest(name, names));
}

/// Each into a folder of its own; overbooking only where there are matrices for it.
int draw_all(const FigureArguments& arguments) {
  const FolderClaim whole(arguments.out);
  const auto figures = all_figures();
  const auto folder_of = [&](const Figure& figure) {
    return (whole.folder() / figure.name).string();
  };
  // A folder that cannot be written is told before the first figure, not after hours.
  for (const Figure& figure : figures) {
    StagedFolder probe(folder_of(figure), "figure", figure.files);
  }
  int code = 0;
  for (const Figure& figure : figures) {
    fmt::print("{}\n", figure.name);
    FigureArguments one = arguments;
    one.out = (std::filesystem::path(arguments.out) / figure.name).string();
    code = std::max(code, draw(figure.name, one));
  }
  return code;
}

/// Which figures take an option that not all take. Settings are of one machine's keys, and figures
/// have machines of several kinds.
void refuse_idle(const Options& app, const std::string& name, bool all) {
  const std::vector<std::pair<const char*, std::vector<std::string>>> takers{
      {"--edge", {"sparsity-sweep"}}, {"--matrices", {"ablation", "overbooking"}},
      {"--only", {"overbooking"}},    {"--jobs", {"overbooking"}},
      {"--limit", {"overbooking"}},   {"--set", {"attention-forms", "overbooking"}}};
  const auto known = all_figures();
  if (!all && std::none_of(known.begin(), known.end(),
                           [&](const Figure& figure) { return figure.name == name; })) {
    return;  // told with the nearest name
  }
  for (const auto& [option, figures] : takers) {
    if (app.count(option) == 0) continue;
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

Command add_figure(Options& app) {
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
      .between(std::uint64_t{64}, std::uint64_t{16384});
  app.add_option("--matrices", arguments->matrices,
                 "folder with the matrices; default: LACUNA_MATRICES");
  add_out_option(app, arguments->out, "folder for tables and plots").required();
  app.add_option("--only", arguments->only, "only these matrices, by name; repeatable")
      .one_at_a_time();
  app.add_option("--set", arguments->settings, "override a value of every machine").one_at_a_time();
  app.add_option("--jobs", arguments->jobs, "matrices at once")
      .between(std::uint64_t{1}, std::uint64_t{256});
  app.add_option("--limit", arguments->limit_s, "processor seconds that one point may take")
      .positive();
  return [name, all, arguments, &app] {
    if (*all || !name->empty()) refuse_idle(app, *name, *all);
    return execute(*name, *all, *arguments);
  };
}

}  // namespace lacuna
