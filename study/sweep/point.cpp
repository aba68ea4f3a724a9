// SPDX-License-Identifier: Apache-2.0
// Points of a sweep: from their number to what they run, and what tells them apart.
#include <limits>

#include "base/file.hpp"
#include "study/sweep/axes.hpp"
#include "study/sweep/spec.hpp"

namespace lacuna {
namespace {

std::string text_of(const std::vector<SweepSetting>& step) {
  std::string out;
  for (const SweepSetting& setting : step) {
    out += setting.key + '=' + flow_text(setting.value) + '\n';
  }
  return out;
}

/// The point's workload, and the settings of its machine where they are wanted.
RunArguments arguments_of(const SweepSpec& spec, const SweepPoint& point,
                          const std::string& machine, bool settings) {
  RunArguments arguments;
  arguments.machines = {machine};
  arguments.workload_tree = spec.workloads[point.workload];
  arguments.workload_folder = spec.folder;
  arguments.fidelity = spec.fidelity == Fidelity::tile ? "tile" : "element";
  if (spec.repeat > 1) arguments.workload_tree->put("seed", std::to_string(point.seed));
  const auto apply = [&](const std::vector<SweepSetting>& step) {
    for (const SweepSetting& setting : step) {
      if (is_of_workload(setting)) {
        arguments.workload_tree->put_at(key_of_workload(setting), setting.value);
      } else if (settings) {
        arguments.settings.push_back(setting.key + '=' + flow_text(setting.value));
      }
    }
  };
  for (std::size_t i = 0; i < spec.axes.size(); ++i) apply(spec.axes[i].steps[point.steps[i]]);
  if (settings && spec.normalize && point.normal) apply(spec.normalize->axis.steps[*point.normal]);
  return arguments;
}

}  // namespace

std::vector<std::uint64_t> digits_of(const SweepSpec& spec) {
  std::vector<std::uint64_t> out{spec.workloads.size()};
  for (const SweepAxis& axis : spec.axes) {
    if (axis.of_workload) out.push_back(axis.steps.size());
  }
  out.push_back(spec.repeat);
  out.push_back(spec.machines.size());
  for (const SweepAxis& axis : spec.axes) {
    if (!axis.of_workload) out.push_back(axis.steps.size());
  }
  return out;
}

SweepPoint point_of(const SweepSpec& spec, std::uint64_t index) {
  SweepPoint point;
  point.index = index;
  std::vector<std::uint64_t> digits = digits_of(spec);
  for (std::size_t i = digits.size(); i-- > 0;) {
    const std::uint64_t values = digits[i];
    digits[i] = index % values;
    index /= values;
  }
  auto digit = digits.cbegin();
  point.workload = *digit++;
  point.steps.resize(spec.axes.size());  // those of workloads stand first
  std::size_t axis = 0;
  while (axis < spec.axes.size() && spec.axes[axis].of_workload) point.steps[axis++] = *digit++;
  point.seed = 1 + *digit++;
  point.machine = spec.machines[*digit++];
  while (axis < spec.axes.size()) point.steps[axis++] = *digit++;
  return point;
}

RunPlan plan_of(const SweepSpec& spec, const SweepPoint& point) {
  return make_plan(arguments_of(spec, point, point.machine, true));
}

RunPlan plan_on(const SweepSpec& spec, const SweepPoint& point, const std::string& machine) {
  return make_plan(arguments_of(spec, point, machine, false));
}

double loss_of(const SweepSpec& spec, const SweepPoint& point) {
  for (std::size_t i = 0; i < spec.axes.size(); ++i) {
    if (!spec.axes[i].losses.empty()) return spec.axes[i].losses[point.steps[i]];
  }
  return std::numeric_limits<double>::quiet_NaN();
}

std::string identity_of(const SweepSpec& spec) {
  std::string text = "points with loss and normalised step\n";  // what the store's rows hold
  for (const std::string& machine : spec.machines) text += machine + '\n';
  for (const ConfigTree& workload : spec.workloads) text += workload.to_yaml() + '\n';
  for (const SweepAxis& axis : spec.axes) {
    text += axis.name + '\n';
    for (const auto& step : axis.steps) text += text_of(step);
    for (const std::string& label : axis.labels) text += label + '\n';
    for (const double loss : axis.losses) text += fmt::format("loss {}\n", loss);
  }
  if (spec.normalize) {
    const SweepNormalize& normalize = *spec.normalize;
    text += fmt::format("{} {} {}\n", normalize.by == SweepNormalize::By::area, normalize.target,
                        normalize.machine);
    for (const auto& step : normalize.axis.steps) text += text_of(step);
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
