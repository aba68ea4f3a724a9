// SPDX-License-Identifier: Apache-2.0
#include "study/sweep/normalize.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "run/machine_prices.hpp"

namespace lacuna {
namespace {

/// What a point's area depends on: its machine and the axes that are not only of the workload.
std::string area_key(const SweepSpec& spec, const SweepPoint& point) {
  std::string key = point.machine;
  for (std::size_t i = 0; i < spec.axes.size(); ++i) {
    if (!spec.axes[i].of_workload) key += fmt::format(" {}", point.steps[i]);
  }
  return key;
}

}  // namespace

SweepNormalizer::SweepNormalizer(const SweepSpec& spec, PowerOf power_of)
    : spec_(spec), power_of_(std::move(power_of)) {}

double SweepNormalizer::measure(const RunPlan& plan) const {
  if (spec_.normalize->by == SweepNormalize::By::power) return power_of_(plan);
  return priced_machine(plan.machines.front().spec).area().count() * 1e-6;
}

double SweepNormalizer::target_of(const SweepPoint& point) {
  const SweepNormalize& normalize = *spec_.normalize;
  if (normalize.machine.empty()) return normalize.target;
  if (normalize.by == SweepNormalize::By::power) {
    return measure(plan_on(spec_, point, normalize.machine));
  }
  auto [known, fresh] = targets_.emplace(normalize.machine, 0);
  if (fresh) known->second = measure(plan_on(spec_, point, normalize.machine));
  return known->second;
}

std::size_t SweepNormalizer::search(SweepPoint point, double target) const {
  const SweepNormalize& normalize = *spec_.normalize;
  const bool area = normalize.by == SweepNormalize::By::area;
  const auto at = [&](std::size_t step) {
    point.normal = step;
    return measure(plan_of(spec_, point));
  };
  const auto refuse = [&](std::size_t step, double value, const char* side, const char* hint) {
    throw InputError(fmt::format("normalize: with {} {} the {} is {:.6g} {}, {} the target of "
                                 "{:.6g}",
                                 normalize.axis.name, normalize.axis.labels[step],
                                 area ? "area" : "power", value, area ? "mm2" : "W", side, target),
                     hint);
  };
  std::size_t within = 0, beyond = normalize.axis.steps.size() - 1;
  if (const double least = at(within); !(least <= target)) {
    refuse(within, least, "already above", "begin the axis lower");
  }
  if (const double most = at(beyond); most <= target) {
    if (most == target) return beyond;
    refuse(beyond, most, "still below", "end the axis higher");
  }
  while (beyond - within > 1) {
    const std::size_t middle = within + (beyond - within) / 2;
    (at(middle) <= target ? within : beyond) = middle;
  }
  return within;
}

std::size_t SweepNormalizer::step_of(const SweepPoint& point) {
  if (spec_.normalize->by == SweepNormalize::By::power) return search(point, target_of(point));
  const std::string key = area_key(spec_, point);
  const auto known = steps_.find(key);
  if (known != steps_.end()) return known->second;
  return steps_[key] = search(point, target_of(point));
}

}  // namespace lacuna
