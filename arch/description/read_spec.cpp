// SPDX-License-Identifier: Apache-2.0
#include "arch/description/read_spec.hpp"

#include "arch/description/array_machine.hpp"
#include "arch/description/older_keys.hpp"
#include "arch/description/pe_machine.hpp"
#include "arch/description/rowwise_machine.hpp"

namespace lacuna {

ConfigReader machine_reader(ConfigTree machine) {
  description::translate_older_keys(machine);
  return ConfigReader(std::move(machine));
}

AnyMachine read_any_machine(const ConfigReader& config) {
  const description::Machine machine = description::read(config);
  const description::UnitEntry* const multiplier = machine.find_multiplier();
  if (multiplier == nullptr) {
    config.fail("units", "no unit multiplies", "one of class mac-array, for instance");
  }
  if (description::is_rowwise(machine)) return description::rowwise_machine(config, machine);
  if (multiplier->traits.install_elements) return description::pe_machine(config, machine);
  return description::array_machine(config, machine);
}

MachineSpec read_machine(const ConfigReader& config) {
  AnyMachine machine = read_any_machine(config);
  if (auto* spec = std::get_if<MachineSpec>(&machine)) return std::move(*spec);
  config.fail("units", "this command needs a machine whose elements intersect fibers of tiles",
              "extensor-ob, for instance");
}

FabricSpec read_fabric(const ConfigReader& config) {
  AnyMachine machine = read_any_machine(config);
  if (auto* spec = std::get_if<FabricSpec>(&machine)) return std::move(*spec);
  config.fail("units", "this command needs a machine of arrays", "tc or lacuna, for instance");
}

}  // namespace lacuna
