// SPDX-License-Identifier: Apache-2.0
#include "arch/energy/account.hpp"

#include <cmath>

#include "base/error.hpp"

namespace lacuna {

EnergyAccount::EnergyAccount(ComponentSet set) : set_(std::move(set)) {}

void EnergyAccount::add(std::string_view component, std::string_view action, double count) {
  LACUNA_CHECK(std::isfinite(count) && count >= 0, "{} {} actions of '{}'", count, action,
               component);
  if (const double each = set_.at(component).energy(action).count(); !std::isfinite(each)) {
    throw InputError(fmt::format("'{}' of '{}' costs {} pJ by the energy table {}", action,
                                 component, each, set_.name),
                     "look for rows of it that are nearly one and the same");
  }
  counts_[std::string(component)][std::string(action)] += count;
}

std::vector<EnergyAccount::Line> EnergyAccount::lines() const {
  std::vector<Line> lines;
  for (const auto& component : set_.components) {
    const auto counted = counts_.find(component.name);
    if (counted == counts_.end()) continue;
    for (const auto& [action, count] : counted->second) {
      const Picojoules each = component.energy(action);
      lines.push_back({component.name, action, count, each, each * count});
    }
  }
  return lines;
}

Picojoules EnergyAccount::total() const {
  Picojoules sum;
  for (const auto& line : lines()) sum += line.energy;
  return sum;
}

std::map<std::string, Picojoules> EnergyAccount::by_component() const {
  std::map<std::string, Picojoules> sums;
  for (const auto& component : set_.components) sums[component.name] = Picojoules(0);
  for (const auto& line : lines()) sums[line.component] += line.energy;
  return sums;
}

void EnergyAccount::check() const {
  long double expected = 0;
  for (const auto& [component, actions] : counts_) {
    for (const auto& [action, count] : actions) {
      expected += static_cast<long double>(count) * set_.at(component).energy(action).count();
    }
  }
  double parts = 0;
  for (const auto& [component, energy] : by_component()) parts += energy.count();
  const double tolerance = 1e-12 * static_cast<double>(expected);
  LACUNA_CHECK(std::abs(total().count() - static_cast<double>(expected)) <= tolerance &&
                   std::abs(parts - static_cast<double>(expected)) <= tolerance,
               "energy {} pJ, by component {} pJ, is not the sum of actions times table, {} pJ",
               total().count(), parts, static_cast<double>(expected));
}

}  // namespace lacuna
