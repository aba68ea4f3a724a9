// SPDX-License-Identifier: Apache-2.0
#include "arch/machine/machine_energy.hpp"

#include <algorithm>

#include "arch/energy/logic.hpp"
#include "arch/energy/sram.hpp"

namespace lacuna {
namespace {

ComponentEnergy logic(std::string name, std::uint64_t count,
                      std::map<std::string, Picojoules> actions, const UnitCost& area_and_flags) {
  ComponentEnergy component;
  component.name = std::move(name);
  component.component_class = "logic";
  component.count = count;
  component.actions = std::move(actions);
  component.area = area_and_flags.area;
  component.standing = "computed";
  component.flags = area_and_flags.flags;
  return component;
}

ComponentEnergy intersect(const EnergyTable& table, std::string name, std::uint64_t count,
                          double clock_ns) {
  UnitCost attempt = unit_cost(table, "register", 64, clock_ns);
  attempt += unit_cost(table, "comparator", 32, clock_ns);
  const UnitCost match = unit_cost(table, "register", 64, clock_ns);
  return logic(std::move(name), count, {{"try", attempt.energy}, {"match", match.energy}}, attempt);
}

/// An SRAM whose idle energy is not charged: what is said of it would only distract.
ComponentEnergy sram(const EnergyTable& table, const char* name, const SramShape& shape,
                     std::uint64_t count) {
  ComponentEnergy component = sram_component(table, name, shape, count);
  std::erase_if(component.flags, [&](const std::string& flag) {
    const auto& idle = component.idle_flags;
    return std::find(idle.begin(), idle.end(), flag) != idle.end();
  });
  return component;
}

}  // namespace

ComponentSet machine_components(const MachineSpec& spec, const EnergyTable& table) {
  const double clock_ns = 1e9 / spec.clock.count();
  ComponentSet set;
  set.name = table.name;
  set.node_nm = table.node_nm;
  ComponentEnergy dram;
  dram.name = "dram";
  dram.component_class = "dram";
  dram.width_bits = 1;
  dram.actions = {{"read_bits", Picojoules(spec.energy.dram_picojoules_per_bit)},
                  {"write_bits", Picojoules(spec.energy.dram_picojoules_per_bit)}};
  dram.standing = "as the machine states it";
  set.components.push_back(std::move(dram));
  SramShape llb;
  llb.capacity = spec.llb.capacity;
  llb.width_bits = static_cast<unsigned>(8 * spec.llb.line.count());
  llb.banks = spec.llb.banks;
  set.components.push_back(sram(table, "llb", llb, 1));
  SramShape peb;
  peb.capacity = spec.peb.capacity;
  peb.width_bits = static_cast<unsigned>(8 * spec.peb.line.count());
  set.components.push_back(sram(table, "peb", peb, spec.pes.count));
  set.components.push_back(intersect(table, "intersect_k0", spec.pes.count, clock_ns));
  set.components.push_back(intersect(table, "intersect_k1", 1, clock_ns));
  set.components.push_back(intersect(table, "intersect_k2", 1, clock_ns));
  const Precision precision = Precision::parse(spec.precision);
  const UnitCost multiplier = multiplier_cost(table, precision, clock_ns);
  set.components.push_back(
      logic("multiplier", spec.pes.count, {{"compute", multiplier.energy}}, multiplier));
  const UnitCost adder = adder_cost(table, precision, clock_ns);
  set.components.push_back(logic("adder", spec.pes.count, {{"compute", adder.energy}}, adder));
  const UnitCost counter = unit_cost(table, "counter", 32, clock_ns);
  set.components.push_back(logic("sequencer", 3, {{"step", counter.energy}}, counter));
  return set;
}

NeededActions machine_actions() {
  return {{"dram", {"read_bits", "write_bits"}},
          {"llb", {"read", "write"}},
          {"peb", {"read", "write"}},
          {"intersect_k0", {"try", "match"}},
          {"intersect_k1", {"try", "match"}},
          {"intersect_k2", {"try"}},
          {"multiplier", {"compute"}},
          {"adder", {"compute"}},
          {"sequencer", {"step"}}};
}

EnergyAccount account_energy(const ComponentSet& components, const ActionCounts& actions) {
  EnergyAccount account(components);
  for (const auto& [component, counts] : actions) {
    for (const auto& [action, count] : counts) {
      account.add(component, action, static_cast<double>(count));
    }
  }
  account.check();
  return account;
}

}  // namespace lacuna
