// SPDX-License-Identifier: Apache-2.0
#include "run/energy_report.hpp"

#include <vector>

#include "base/shipped_files.hpp"

namespace lacuna {

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
  report.total_picojoules = account.total().count();
  return report;
}

EnergyTable load_energy_table(const std::string& name) {
  std::vector<std::filesystem::path> folders;
  for (const auto& folder : config_folders()) folders.push_back(folder / "energy");
  return EnergyTable::load(name, folders);
}

}  // namespace lacuna
