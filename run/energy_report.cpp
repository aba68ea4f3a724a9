// SPDX-License-Identifier: Apache-2.0
#include "run/energy_report.hpp"

#include <vector>

#include "base/shipped_files.hpp"

namespace lacuna {
namespace {

constexpr double kPicojoulesOfMilliwattSecond = 1e9;

PriceReport report_price(const ComponentEnergy& component) {
  PriceReport price;
  price.component = component.name;
  price.count = component.count;
  for (const auto& [action, energy] : component.actions) price.actions[action] = energy.count();
  price.area_um2 = component.area.count();
  price.static_mw = component.static_mw;
  price.static_action = component.static_action();
  price.source = component.source;
  price.standing = component.standing;
  price.flags = component.flags;
  return price;
}

}  // namespace

EnergyReport report_energy(const EnergyAccount& account) {
  EnergyReport report;
  report.table = account.set().name;
  report.area_um2 = account.set().area().count();
  report.flags = account.set().flags();
  for (const auto& line : account.lines()) {
    ComponentReport& component = report.components[line.component];
    component.picojoules += line.energy.count();
    component.by_action[line.action] += line.energy.count();
  }
  for (const ComponentEnergy& component : account.set().components) {
    report.prices.push_back(report_price(component));
  }
  report.total_picojoules = account.total().count();
  return report;
}

double static_picojoules(const EnergyReport& energy, double seconds) {
  double milliwatts = 0;
  for (const PriceReport& price : energy.prices) {
    milliwatts += price.static_mw * static_cast<double>(price.count);
  }
  return milliwatts * seconds * kPicojoulesOfMilliwattSecond;
}

void charge_static(RunResult& result) {
  EnergyReport& energy = result.energy;
  for (const PriceReport& price : energy.prices) {
    if (price.static_mw == 0) continue;
    ComponentReport& component = energy.components[price.component];
    double& charged = component.by_action[price.static_action];
    const double now = price.static_mw * static_cast<double>(price.count) * result.seconds() *
                       kPicojoulesOfMilliwattSecond;
    component.picojoules += now - charged;
    energy.total_picojoules += now - charged;
    energy.static_picojoules += now - charged;
    charged = now;
  }
}

EnergyTable load_energy_table(const std::string& name) {
  std::vector<std::filesystem::path> folders;
  for (const auto& folder : config_folders()) folders.push_back(folder / "energy");
  return EnergyTable::load(name, folders);
}

}  // namespace lacuna
