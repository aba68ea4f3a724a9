// SPDX-License-Identifier: Apache-2.0
#include "run/machine_prices.hpp"

#include "arch/energy/ert.hpp"
#include "arch/machine/machine_energy.hpp"
#include "arch/system/array_energy.hpp"
#include "arch/system/rowwise_energy.hpp"
#include "base/shipped_files.hpp"
#include "run/energy_report.hpp"

namespace lacuna {
namespace {

/// What an Accelergy table replaces, and nothing that is counted without a price.
template <class Spec>
ComponentSet complete(const ComponentSet& ours, const Spec& machine, const NeededActions& counted) {
  ComponentSet set =
      with_accelergy_files(ours, machine.prices.accelergy, counted, 1e9 / machine.clock.count());
  require_actions(set, counted);
  return set;
}

ComponentSet given_set(const std::string& name) {
  std::vector<std::filesystem::path> folders;
  for (const auto& folder : config_folders()) folders.push_back(folder / "energy");
  return ComponentSet::load(find_energy_file(name, folders));
}

}  // namespace

ComponentSet priced_machine(const MachineSpec& machine) {
  const EnergyTable table = load_energy_table(machine.energy.table);
  return complete(machine_components(machine, table), machine, machine_actions());
}

ComponentSet priced_machine(const FabricSpec& machine) {
  const ComponentSet ours =
      machine.energy.set.empty()
          ? fabric_components(machine, load_energy_table(machine.energy.table))
          : given_set(machine.energy.set);
  ComponentSet set = complete(ours, machine, fabric_actions(machine));
  add_saf_component(machine, set);
  return set;
}

ComponentSet priced_machine(const RowwiseSpec& machine) {
  const EnergyTable table = load_energy_table(machine.table);
  return complete(rowwise_components(machine, table), machine, rowwise_actions(machine));
}

ComponentSet priced_machine(const AnyMachine& machine) {
  return std::visit([](const auto& spec) { return priced_machine(spec); }, machine);
}

}  // namespace lacuna
