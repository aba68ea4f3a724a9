// SPDX-License-Identifier: Apache-2.0
#include "study/sweep/axes.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.hpp"
#include "base/quantity_text.hpp"
#include "base/shipped_files.hpp"

namespace lacuna {
namespace {

constexpr std::string_view kOfWorkload = "workload.";
constexpr std::uint64_t kMostSteps = 10'000;

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

/// What each step of an axis loses: a list beside its values, a mapping from them, or the name of a
/// file with such a mapping.
std::vector<double> read_losses(ConfigTree tree, const SweepAxis& axis) {
  if (tree.kind == ConfigTree::Kind::null) return {};
  const ConfigTree at = tree;
  const auto number_of = [&](const ConfigTree& value) {
    const auto number = parse_number(value.scalar);
    if (!number) fail_at(value, "axes.loss", "expected a number", "loss: [0, 0.2]");
    return *number;
  };
  std::vector<double> losses;
  if (tree.kind == ConfigTree::Kind::sequence) {
    for (const ConfigTree& item : tree.items) losses.push_back(number_of(item));
    if (losses.size() == axis.steps.size()) return losses;
    fail_at(
        at, "axes.loss",
        fmt::format("{} has {} values, its loss {}", axis.name, axis.steps.size(), losses.size()),
        "a number for each value");
  }
  if (tree.kind == ConfigTree::Kind::scalar) {
    tree = load_config_file("losses", find_config("losses", tree.scalar));
  }
  for (const std::string& label : axis.labels) {
    const ConfigTree* const found = tree.find(label);
    if (found == nullptr) {
      std::vector<std::string> names;
      for (const auto& [name, value] : tree.children) names.push_back(name);
      fail_at(at, "axes.loss", fmt::format("nothing is said of '{}' of {}", label, axis.name),
              suggest(label, names));
    }
    losses.push_back(number_of(*found));
  }
  return losses;
}

/// What tables and pictures call the steps.
std::vector<std::string> read_labels(const ConfigTree& tree, const SweepAxis& axis) {
  std::vector<std::string> labels;
  for (const ConfigTree& item : list_of(tree, "axes.labels", "a name for each value")) {
    labels.push_back(item.scalar);
  }
  const std::set<std::string> distinct(labels.begin(), labels.end());
  if (labels.size() != axis.steps.size() || distinct.size() != labels.size()) {
    fail_at(tree, "axes.labels",
            fmt::format("{} has {} values, and {} names of its own", axis.name, axis.steps.size(),
                        distinct.size()),
            "a name for each value");
  }
  return labels;
}

}  // namespace

bool is_of_workload(const SweepSetting& setting) {
  return setting.key.starts_with(kOfWorkload);
}

std::string key_of_workload(const SweepSetting& setting) {
  return setting.key.substr(kOfWorkload.size());
}

std::string flow_text(const ConfigTree& tree) {
  const auto inner = [](const ConfigTree& item) {
    return item.kind == ConfigTree::Kind::scalar ? fmt::format("\"{}\"", item.scalar)
                                                 : flow_text(item);
  };
  std::vector<std::string> parts;
  switch (tree.kind) {
    case ConfigTree::Kind::null:
      return "null";
    case ConfigTree::Kind::scalar:
      return tree.scalar;
    case ConfigTree::Kind::sequence:
      for (const ConfigTree& item : tree.items) parts.push_back(inner(item));
      return fmt::format("[{}]", fmt::join(parts, ", "));
    case ConfigTree::Kind::mapping:
      for (const auto& [key, value] : tree.children) parts.push_back(key + ": " + inner(value));
      return fmt::format("{{{}}}", fmt::join(parts, ", "));
  }
  return {};
}

ConfigTree take(ConfigTree& mapping, std::string_view key) {
  const auto at = std::find_if(mapping.children.begin(), mapping.children.end(),
                               [&](const auto& child) { return child.first == key; });
  if (at == mapping.children.end()) return {};
  ConfigTree taken = std::move(at->second);
  mapping.children.erase(at);
  return taken;
}

void fail_at(const ConfigTree& tree, const std::string& field, const std::string& problem,
             const std::string& hint) {
  throw InputError({tree.file, tree.line, field}, problem, hint);
}

const std::vector<ConfigTree>& list_of(const ConfigTree& tree, const std::string& field,
                                       const std::string& hint) {
  if (tree.kind != ConfigTree::Kind::sequence || tree.items.empty()) {
    fail_at(tree, field, "expected a list", hint);
  }
  return tree.items;
}

SweepAxis read_axis(ConfigTree tree) {
  if (tree.kind != ConfigTree::Kind::mapping) {
    fail_at(tree, "axes", "expected a mapping", "{key: levels.glb.capacity, values: [...]}");
  }
  ConfigTree losses = take(tree, "loss");
  const ConfigTree labels = take(tree, "labels");
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
  axis.losses = read_losses(std::move(losses), axis);
  if (labels.kind != ConfigTree::Kind::null) axis.labels = read_labels(labels, axis);
  return axis;
}

std::vector<SweepAxis> read_axes(const ConfigTree& tree) {
  std::vector<SweepAxis> axes;
  if (tree.kind == ConfigTree::Kind::null) return axes;
  std::set<std::string> names;
  std::string with_loss;
  for (const ConfigTree& axis : list_of(tree, "axes", "axes: [{key: ..., values: [...]}]")) {
    axes.push_back(read_axis(axis));
    if (!names.insert(axes.back().name).second) {
      fail_at(axis, "axes", fmt::format("two axes are named '{}'", axes.back().name),
              "give one a name");
    }
    if (axes.back().losses.empty()) continue;
    if (!with_loss.empty()) {
      fail_at(axis, "axes.loss", fmt::format("'{}' has a loss as well", with_loss),
              "losses of two axes do not add up; link the axes");
    }
    with_loss = axes.back().name;
  }
  std::stable_sort(axes.begin(), axes.end(), [](const SweepAxis& a, const SweepAxis& b) {
    return a.of_workload && !b.of_workload;
  });
  return axes;
}

}  // namespace lacuna
