// SPDX-License-Identifier: Apache-2.0
#include "arch/machine/machine_energy.hpp"

#include <cmath>

#include "arch/energy/buffer_price.hpp"
#include "arch/energy/logic.hpp"
#include "arch/energy/network_price.hpp"
#include "arch/energy/sram.hpp"

namespace lacuna {
namespace {

ComponentEnergy logic(std::string name, std::uint64_t count,
                      std::map<std::string, Picojoules> actions, const UnitCost& area_and_flags,
                      std::string source) {
  ComponentEnergy component;
  component.name = std::move(name);
  component.component_class = "logic";
  component.count = count;
  component.actions = std::move(actions);
  component.area = area_and_flags.area;
  component.static_mw = area_and_flags.leakage_mw;
  component.standing = "computed";
  component.source = std::move(source);
  component.flags = area_and_flags.flags;
  return component;
}

ComponentEnergy intersect(const EnergyTable& table, std::string name, std::uint64_t count,
                          double clock_ns) {
  UnitCost attempt = unit_cost(table, "register", 64, clock_ns);
  attempt += unit_cost(table, "comparator", 32, clock_ns);
  const UnitCost match = unit_cost(table, "register", 64, clock_ns);
  return logic(std::move(name), count, {{"try", attempt.energy}, {"match", match.energy}}, attempt,
               "two 32-bit coordinates in registers and a comparator");
}

ComponentEnergy stated_dram(const MachineSpec& spec) {
  ComponentEnergy dram;
  dram.name = "dram";
  dram.component_class = "dram";
  dram.width_bits = 1;
  dram.actions = {{"read_bits", Picojoules(spec.energy.dram_picojoules_per_bit)},
                  {"write_bits", Picojoules(spec.energy.dram_picojoules_per_bit)}};
  dram.standing = "as the machine states it";
  dram.source = fmt::format("{} pJ per bit", spec.energy.dram_picojoules_per_bit);
  dram.flags = {"not priced: interface, background and refresh of memory that is no type"};
  return dram;
}

/// The last-level buffer and the elements' own.
void add_buffers(const MachineSpec& spec, const EnergyTable& table, double clock_ns,
                 ComponentSet& set) {
  const auto buffer = [&](const char* name, BufferShape shape, std::size_t level,
                          std::uint64_t count) {
    const LevelPrice price = spec.prices.level(level);
    shape.whole.ports = price.ports.value_or(SramPorts::rw1);
    shape.wire_mm = price.wire_mm;
    set.components.push_back(buffer_component(table, name, shape, clock_ns, count));
  };
  const auto bits = [](Bytes line) { return static_cast<unsigned>(8 * line.count()); };
  buffer("llb",
         {{spec.llb.capacity, bits(spec.llb.line), spec.llb.banks, SramPorts::rw1},
          spec.llb.slices,
          spec.llb.bytes_per_cycle,
          spec.llb.fill_bytes_per_cycle,
          {}},
         0, 1);
  buffer("peb", {{spec.peb.capacity, bits(spec.peb.line), 1, SramPorts::rw1}, 1, 0, 0, {}}, 1,
         spec.pes.count);
  const BufferControl policy =
      spec.llb.policy == BufferPolicy::tailors ? BufferControl::tailors : BufferControl::buffet;
  UnitCost control = control_cost(table, policy, clock_ns).times(2);
  control += control_cost(table, BufferControl::buffet, clock_ns);
  set.components.push_back(logic("control_llb", 1, {}, control, "counters of three tensors"));
  const UnitCost own = control_cost(table, BufferControl::buffet, clock_ns).times(3);
  set.components.push_back(
      logic("control_peb", spec.pes.count, {}, own, "counters of three tensors"));
}

void add_logic(const MachineSpec& spec, const EnergyTable& table, double clock_ns,
               ComponentSet& set) {
  set.components.push_back(intersect(table, "intersect_k0", spec.pes.count, clock_ns));
  set.components.push_back(intersect(table, "intersect_k1", 1, clock_ns));
  set.components.push_back(intersect(table, "intersect_k2", 1, clock_ns));
  const Precision precision = Precision::parse(spec.precision);
  const UnitCost multiplier = multiplier_cost(table, precision, clock_ns);
  set.components.push_back(logic("multiplier", spec.pes.count, {{"compute", multiplier.energy}},
                                 multiplier, precision.name + " multiplier"));
  const UnitCost adder = adder_cost(table, precision, clock_ns);
  set.components.push_back(logic("adder", spec.pes.count, {{"compute", adder.energy}}, adder,
                                 precision.name + " adder"));
  const UnitCost counter = unit_cost(table, "counter", 32, clock_ns);
  set.components.push_back(
      logic("sequencer", 3, {{"step", counter.energy}}, counter, "32-bit counter"));
}

}  // namespace

ComponentSet machine_components(const MachineSpec& spec, const EnergyTable& given) {
  EnergyTable table = given;
  if (!spec.prices.cells.empty()) table.sram.cells = spec.prices.cells;
  const double clock_ns = 1e9 / spec.clock.count();
  ComponentSet set;
  set.name = table.name;
  set.node_nm = table.node_nm;
  set.components.push_back(stated_dram(spec));
  add_buffers(spec, table, clock_ns, set);
  add_logic(spec, table, clock_ns, set);
  const double mm = link_length_mm(set);
  set.components.push_back(link_component(
      table, "link_memory",
      {spec.dram.bytes_per_cycle, 1, 0, spec.prices.level(0).link_mm.value_or(mm)}, clock_ns));
  const double filled =
      std::isfinite(spec.llb.fill_bytes_per_cycle) ? spec.llb.fill_bytes_per_cycle : 0;
  set.components.push_back(
      link_component(table, "link_elements",
                     {spec.llb.bytes_per_cycle + filled, spec.pes.count,
                      spec.network.latency.count(), spec.prices.level(1).link_mm.value_or(mm)},
                     clock_ns));
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
    // Prices given from outside may have no links.
    if (component.starts_with("link_") && components.find(component) == nullptr) continue;
    for (const auto& [action, count] : counts) {
      account.add(component, action, static_cast<double>(count));
    }
  }
  account.check();
  return account;
}

}  // namespace lacuna
