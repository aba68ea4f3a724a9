// SPDX-License-Identifier: Apache-2.0
#include "study/sweep/spec.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/quantity_text.hpp"
#include "base/shipped_files.hpp"
#include "study/sweep/axes.hpp"
#include "study/sweep/expression.hpp"

namespace lacuna {
namespace {

namespace fs = std::filesystem;

/// "12 mm2", "1.5 W", or the machine whose measure it is.
void read_target(const ConfigReader& reader, SweepNormalize& out) {
  const std::string text = reader.text("at");
  const auto space = text.find(' ');
  const auto value = parse_number(text.substr(0, space));
  if (!value) {
    out.machine = text;
    return;
  }
  const std::string unit = space == std::string::npos ? "" : text.substr(space + 1);
  const std::map<std::string, double> units =
      out.by == SweepNormalize::By::area
          ? std::map<std::string, double>{{"um2", 1e-6}, {"mm2", 1}, {"cm2", 100}}
          : std::map<std::string, double>{{"mW", 1e-3}, {"W", 1}};
  const auto factor = units.find(unit);
  if (factor == units.end() || !(*value > 0)) {
    reader.fail("at", fmt::format("'{}' is no {}", text, reader.text("by")),
                out.by == SweepNormalize::By::area ? "at: 12 mm2, or a machine, at: tc"
                                                   : "at: 1.5 W, or a machine, at: tc");
  }
  out.target = *value * factor->second;
}

std::optional<SweepNormalize> read_normalize(ConfigTree tree, const std::vector<SweepAxis>& axes) {
  if (tree.kind == ConfigTree::Kind::null) return std::nullopt;
  if (tree.kind != ConfigTree::Kind::mapping) {
    fail_at(tree, "normalize", "expected a mapping",
            "normalize: {by: area, at: tc, axis: {key: ..., from: ..., to: ..., steps: ...}}");
  }
  const ConfigTree at = tree;
  SweepNormalize out;
  ConfigTree chosen = take(tree, "axis");
  if (chosen.kind == ConfigTree::Kind::null) {
    fail_at(at, "normalize.axis", "nothing is said that could change",
            "axis: {key: levels.glb.capacity, from: 64 KiB, to: 1 MiB, steps: 61}");
  }
  out.axis = read_axis(std::move(chosen));
  const ConfigReader reader(std::move(tree));
  out.by = reader.choice<SweepNormalize::By>(
      "by", {{"area", SweepNormalize::By::area}, {"power", SweepNormalize::By::power}});
  read_target(reader, out);
  reader.finish();
  for (const SweepAxis& axis : axes) {
    if (axis.name == out.axis.name) {
      fail_at(at, "normalize.axis", fmt::format("'{}' is an axis already", axis.name),
              "its steps are chosen, or they are all run");
    }
  }
  if (!out.axis.losses.empty()) {
    fail_at(at, "normalize.axis", "a loss is of an axis that is run", "put it beside one of axes");
  }
  return out;
}

ConfigTree load_workload(const ConfigTree& given) {
  if (given.kind == ConfigTree::Kind::mapping) return given;
  return load_config_file("workloads", find_config("workloads", given.scalar));
}

std::vector<SweepObjective> read_objectives(const ConfigReader& reader) {
  std::vector<SweepObjective> out;
  for (const std::string& text : reader.texts("objectives")) {
    SweepObjective objective;
    objective.most = text.starts_with("max ");
    const bool least = text.starts_with("min ");
    objective.expression = objective.most || least ? text.substr(4) : text;
    out.push_back(std::move(objective));
  }
  if (out.empty()) out = {{"cycles", false}, {"energy", false}, {"area", false}};
  return out;
}

std::optional<SweepSearch> read_search(const ConfigReader& sweep) {
  if (!sweep.has("search")) return std::nullopt;
  const ConfigReader reader = sweep.mapping("search");
  SweepSearch out;
  out.algorithm = reader.choice<SweepSearch::Algorithm>(
      "algorithm", {{"nsga2", SweepSearch::Algorithm::nsga2}}, out.algorithm);
  out.population = reader.integer("population", {8, 10'000}, out.population);
  if (out.population % 4 != 0) {
    reader.fail("population", fmt::format("{} is no multiple of 4", out.population),
                "nsga2 crosses points in fours: population: 40");
  }
  out.budget = reader.integer("budget", {1, static_cast<double>(kMostSearchBudget)});
  if (out.budget < out.population) {
    reader.fail(
        "budget",
        fmt::format("{} points are less than one generation of {}", out.budget, out.population),
        "a larger budget, or a smaller population");
  }
  out.seed = reader.integer("seed", {0, 4'294'967'295.0}, out.seed);
  return out;
}

/// Too many points to run or to number.
void check_size(const ConfigReader& reader, const SweepSpec& spec) {
  const std::uint64_t most = spec.search ? kMostSearchedPoints : kMostSweepPoints;
  if (spec.points() <= most) return;
  reader.fail("axes", fmt::format("more than {} points", grouped(most)),
              spec.search ? "fewer axes or steps"
                          : "fewer steps, or a search: {algorithm: nsga2, budget: 2000}");
}

/// Names that nobody computes are told before the first point runs.
void check_expressions(const ConfigReader& reader, const SweepSpec& spec) {
  const auto check = [&](const char* field, const std::string& text) {
    const std::string problem = Expression::problem(text);
    if (!problem.empty()) reader.fail(field, fmt::format("'{}': {}", text, problem));
  };
  for (const std::string& text : spec.constraints) check("constraints", text);
  for (const SweepObjective& objective : spec.objectives) check("objectives", objective.expression);
  if (std::any_of(spec.axes.begin(), spec.axes.end(),
                  [](const SweepAxis& axis) { return !axis.losses.empty(); })) {
    return;
  }
  const auto refuse = [&](const char* field, const std::string& text) {
    if (!Expression::names(text, "loss")) return;
    reader.fail(field, fmt::format("'{}': no axis says its loss", text),
                "{key: workload.a, values: [dense, 2:4], loss: [0, 0.2]}");
  };
  for (const std::string& text : spec.constraints) refuse("constraints", text);
  for (const SweepObjective& objective : spec.objectives) {
    refuse("objectives", objective.expression);
  }
}

}  // namespace

std::uint64_t SweepSpec::points() const {
  std::uint64_t all = 1;
  for (const std::uint64_t values : digits_of(*this)) {
    if (all > kMostSearchedPoints / values) return kMostSearchedPoints + 1;
    all *= values;
  }
  return all;
}

bool SweepSpec::searched() const {
  return search && points() > search->budget;
}

SweepSpec load_sweep(const fs::path& file) {
  ConfigTree tree = ConfigTree::load(file);
  const ConfigTree workloads = take(tree, "workloads");
  const ConfigTree axes = take(tree, "axes");
  ConfigTree normalize = take(tree, "normalize");
  const ConfigReader reader(std::move(tree));
  SweepSpec spec;
  spec.folder = file.parent_path();
  spec.name = reader.text("name", file.stem().string());
  spec.description = reader.text("description", "");
  spec.machines = reader.texts("machines");
  if (spec.machines.empty()) reader.fail("machines", "no machine is given", "machines: [lacuna]");
  for (const ConfigTree& workload :
       list_of(workloads, "workloads", "workloads: [{gemm: 512x512x512, a: 2:4, b: dense}]")) {
    spec.workloads.push_back(load_workload(workload));
  }
  spec.axes = read_axes(axes);
  spec.normalize = read_normalize(std::move(normalize), spec.axes);
  spec.constraints = reader.texts("constraints");
  spec.objectives = read_objectives(reader);
  spec.search = read_search(reader);
  spec.repeat = reader.integer("repeat", {1, 1000}, 1);
  spec.fidelity = reader.choice<Fidelity>(
      "fidelity", {{"tile", Fidelity::tile}, {"element", Fidelity::element}}, Fidelity::tile);
  check_expressions(reader, spec);
  reader.finish();
  check_size(reader, spec);
  return spec;
}

}  // namespace lacuna
