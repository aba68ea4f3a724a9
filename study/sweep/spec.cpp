// SPDX-License-Identifier: Apache-2.0
#include "study/sweep/spec.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/quantity_text.hpp"
#include "base/shipped_files.hpp"
#include "study/sweep/expression.hpp"

namespace lacuna {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kOfWorkload = "workload.";
constexpr std::uint64_t kMostSteps = 10'000;

bool is_of_workload(const SweepSetting& setting) {
  return setting.key.starts_with(kOfWorkload);
}

/// A value as a setting's text takes it.
std::string flow_text(const ConfigTree& tree) {
  if (tree.kind != ConfigTree::Kind::sequence) return tree.scalar;
  std::string out;
  for (const ConfigTree& item : tree.items) {
    const bool scalar = item.kind == ConfigTree::Kind::scalar;
    out += fmt::format("{}{}", out.empty() ? "" : ", ",
                       scalar ? fmt::format("\"{}\"", item.scalar) : flow_text(item));
  }
  return '[' + out + ']';
}

std::string text_of(const std::vector<SweepSetting>& step) {
  std::string out;
  for (const SweepSetting& setting : step) {
    out += setting.key + '=' + flow_text(setting.value) + '\n';
  }
  return out;
}

/// Takes an entry out of a mapping, for what is not read key by key.
ConfigTree take(ConfigTree& mapping, std::string_view key) {
  const auto at = std::find_if(mapping.children.begin(), mapping.children.end(),
                               [&](const auto& child) { return child.first == key; });
  if (at == mapping.children.end()) return {};
  ConfigTree taken = std::move(at->second);
  mapping.children.erase(at);
  return taken;
}

[[noreturn]] void fail_at(const ConfigTree& tree, const std::string& field,
                          const std::string& problem, const std::string& hint) {
  throw InputError({tree.file, tree.line, field}, problem, hint);
}

const std::vector<ConfigTree>& list_of(const ConfigTree& tree, const std::string& field,
                                       const std::string& hint) {
  if (tree.kind != ConfigTree::Kind::sequence || tree.items.empty()) {
    fail_at(tree, field, "expected a list", hint);
  }
  return tree.items;
}

/// "64 KiB" as a number and its unit.
struct Amount {
  double value;
  std::string unit;
};

Amount amount(const ConfigReader& axis, const char* key) {
  const std::string text = axis.text(key);
  if (const auto bytes = parse_bytes(text)) return {static_cast<double>(bytes->count()), "B"};
  const auto space = text.find(' ');
  const auto value = parse_number(text.substr(0, space));
  if (!value)
    axis.fail(key, fmt::format("'{}' is not a number with its unit", text), "64 KiB, 0.1");
  return {*value, space == std::string::npos ? "" : text.substr(space + 1)};
}

/// `steps` values from one to the other, in equal differences or equal ratios.
std::vector<ConfigTree> range_of(const ConfigReader& axis, const ConfigTree& at) {
  enum class Scale { linear, log };
  const Amount from = amount(axis, "from"), to = amount(axis, "to");
  if (from.unit != to.unit) {
    axis.fail("to", fmt::format("'{}' is not of the unit of from, '{}'", to.unit, from.unit));
  }
  const auto steps = axis.integer("steps", {2, static_cast<double>(kMostSteps)});
  const bool log = axis.choice<Scale>("scale", {{"linear", Scale::linear}, {"log", Scale::log}},
                                      Scale::linear) == Scale::log;
  if (log && (from.value <= 0 || to.value <= 0)) {
    axis.fail("from", "equal ratios need values above zero", "scale: linear");
  }
  std::vector<ConfigTree> out;
  for (std::uint64_t i = 0; i < steps; ++i) {
    const double part = static_cast<double>(i) / static_cast<double>(steps - 1);
    double value = log ? from.value * std::pow(to.value / from.value, part)
                       : from.value + (to.value - from.value) * part;
    const bool whole = from.unit == "B" ||
                       (from.value == std::floor(from.value) && to.value == std::floor(to.value) &&
                        std::abs(value - std::round(value)) < 1e-9 * value);
    if (whole) value = std::round(value);
    ConfigTree& step = out.emplace_back();
    step.kind = ConfigTree::Kind::scalar;
    step.file = at.file;
    step.line = at.line;
    step.scalar = whole ? fmt::format("{:.0f}", value) : fmt::format("{:.6g}", value);
    if (!from.unit.empty()) step.scalar += ' ' + from.unit;
    if (from.unit == "B") step.scalar = to_text(Bytes(static_cast<std::uint64_t>(value)));
  }
  return out;
}

struct AxisPart {
  std::string key;
  std::vector<ConfigTree> values;
};

AxisPart read_part(ConfigTree tree) {
  const ConfigTree at = tree;
  const ConfigTree values = take(tree, "values");
  const ConfigReader reader(std::move(tree));
  AxisPart part;
  part.key = reader.text("key");
  static_cast<void>(reader.text("name", ""));
  if (values.kind == ConfigTree::Kind::null) {
    if (!reader.has("from")) {
      reader.fail("values", "an axis has values, or from, to and steps",
                  "values: [64 KiB, 128 KiB]");
    }
    part.values = range_of(reader, at);
  } else {
    part.values = list_of(values, "axes.values", "values: [64 KiB, 128 KiB]");
  }
  reader.finish();
  return part;
}

SweepAxis read_axis(ConfigTree tree) {
  if (tree.kind != ConfigTree::Kind::mapping) {
    fail_at(tree, "axes", "expected a mapping", "{key: levels.glb.capacity, values: [...]}");
  }
  std::vector<AxisPart> parts;
  SweepAxis axis;
  if (const ConfigTree* name = tree.find("name")) axis.name = name->scalar;
  if (tree.find("linked") != nullptr) {
    const ConfigTree linked = take(tree, "linked");
    for (const ConfigTree& part : list_of(linked, "axes.linked", "linked: [{key: ...}, ...]")) {
      parts.push_back(read_part(part));
    }
    const ConfigReader rest(tree);
    static_cast<void>(rest.text("name", ""));
    rest.finish();
  } else {
    parts.push_back(read_part(tree));
  }
  for (const AxisPart& part : parts) {
    if (part.values.size() != parts.front().values.size()) {
      fail_at(tree, "axes.linked",
              fmt::format("{} has {} values, {} has {}", parts.front().key,
                          parts.front().values.size(), part.key, part.values.size()),
              "keys that are linked move together");
    }
  }
  if (axis.name.empty()) axis.name = parts.front().key;
  axis.of_workload = true;
  for (std::size_t i = 0; i < parts.front().values.size(); ++i) {
    auto& step = axis.steps.emplace_back();
    std::string label;
    for (const AxisPart& part : parts) {
      step.push_back({part.key, part.values[i]});
      axis.of_workload = axis.of_workload && is_of_workload(step.back());
      label += (label.empty() ? "" : " / ") + flow_text(part.values[i]);
    }
    axis.labels.push_back(std::move(label));
  }
  return axis;
}

std::vector<SweepAxis> read_axes(const ConfigTree& tree) {
  std::vector<SweepAxis> axes;
  if (tree.kind == ConfigTree::Kind::null) return axes;
  std::set<std::string> names;
  for (const ConfigTree& axis : list_of(tree, "axes", "axes: [{key: ..., values: [...]}]")) {
    axes.push_back(read_axis(axis));
    if (!names.insert(axes.back().name).second) {
      fail_at(axis, "axes", fmt::format("two axes are named '{}'", axes.back().name),
              "give one a name");
    }
  }
  std::stable_sort(axes.begin(), axes.end(), [](const SweepAxis& a, const SweepAxis& b) {
    return a.of_workload && !b.of_workload;
  });
  return axes;
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

/// Names that nobody computes are told before the first point runs.
void check_expressions(const ConfigReader& reader, const SweepSpec& spec) {
  const auto check = [&](const char* field, const std::string& text) {
    const std::string problem = Expression::problem(text);
    if (!problem.empty()) reader.fail(field, fmt::format("'{}': {}", text, problem));
  };
  for (const std::string& text : spec.constraints) check("constraints", text);
  for (const SweepObjective& objective : spec.objectives) check("objectives", objective.expression);
}

}  // namespace

std::uint64_t SweepSpec::points() const {
  std::uint64_t all = machines.size() * workloads.size() * repeat;
  for (const SweepAxis& axis : axes) {
    all *= axis.steps.size();
    if (all > kMostSweepPoints) return all;
  }
  return all;
}

SweepSpec load_sweep(const fs::path& file) {
  ConfigTree tree = ConfigTree::load(file);
  const ConfigTree workloads = take(tree, "workloads");
  const ConfigTree axes = take(tree, "axes");
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
  spec.constraints = reader.texts("constraints");
  spec.objectives = read_objectives(reader);
  spec.repeat = reader.integer("repeat", {1, 1000}, 1);
  spec.fidelity = reader.choice<Fidelity>(
      "fidelity", {{"tile", Fidelity::tile}, {"element", Fidelity::element}}, Fidelity::tile);
  check_expressions(reader, spec);
  reader.finish();
  if (spec.points() > kMostSweepPoints) {
    reader.fail("axes", fmt::format("more than {} points", grouped(kMostSweepPoints)),
                "fewer steps, or a search instead of a sweep");
  }
  return spec;
}

SweepPoint point_of(const SweepSpec& spec, std::uint64_t index) {
  SweepPoint point;
  point.index = index;
  point.steps.resize(spec.axes.size());
  std::size_t first_of_machine = 0;
  while (first_of_machine < spec.axes.size() && spec.axes[first_of_machine].of_workload) {
    ++first_of_machine;
  }
  const auto digit = [&index](std::uint64_t size) {
    const std::uint64_t at = index % size;
    index /= size;
    return at;
  };
  for (std::size_t i = spec.axes.size(); i-- > first_of_machine;) {
    point.steps[i] = digit(spec.axes[i].steps.size());
  }
  point.machine = spec.machines[digit(spec.machines.size())];
  point.seed = 1 + digit(spec.repeat);
  for (std::size_t i = first_of_machine; i-- > 0;) {
    point.steps[i] = digit(spec.axes[i].steps.size());
  }
  point.workload = digit(spec.workloads.size());
  return point;
}

RunPlan plan_of(const SweepSpec& spec, const SweepPoint& point) {
  RunArguments arguments;
  arguments.machines = {point.machine};
  arguments.workload_tree = spec.workloads[point.workload];
  arguments.workload_folder = spec.folder;
  arguments.fidelity = spec.fidelity == Fidelity::tile ? "tile" : "element";
  if (spec.repeat > 1) arguments.workload_tree->put("seed", std::to_string(point.seed));
  for (std::size_t i = 0; i < spec.axes.size(); ++i) {
    for (const SweepSetting& setting : spec.axes[i].steps[point.steps[i]]) {
      if (is_of_workload(setting)) {
        arguments.workload_tree->put_at(setting.key.substr(kOfWorkload.size()), setting.value);
      } else {
        arguments.settings.push_back(setting.key + '=' + flow_text(setting.value));
      }
    }
  }
  return make_plan(arguments);
}

std::string identity_of(const SweepSpec& spec) {
  std::string text;
  for (const std::string& machine : spec.machines) text += machine + '\n';
  for (const ConfigTree& workload : spec.workloads) text += workload.to_yaml() + '\n';
  for (const SweepAxis& axis : spec.axes) {
    text += axis.name + '\n';
    for (const auto& step : axis.steps) text += text_of(step);
  }
  text += fmt::format("{} {}", spec.repeat, spec.fidelity == Fidelity::tile);
  return sha256_of_text(text);
}

std::string identity_of(const SweepSpec& spec, const SweepPoint& point) {
  std::string text = point.machine + '\n' + spec.workloads[point.workload].to_yaml();
  text += fmt::format("{} {}\n", point.seed, spec.fidelity == Fidelity::tile);
  for (std::size_t i = 0; i < spec.axes.size(); ++i) {
    text += text_of(spec.axes[i].steps[point.steps[i]]);
  }
  return sha256_of_text(text);
}

}  // namespace lacuna
