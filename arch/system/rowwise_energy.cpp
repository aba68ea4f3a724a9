// SPDX-License-Identifier: Apache-2.0
#include "arch/system/rowwise_energy.hpp"

#include <algorithm>
#include <bit>

#include "arch/energy/logic.hpp"
#include "arch/energy/sram.hpp"

namespace lacuna {
namespace {

ComponentEnergy rowwise_logic(std::string name, std::uint64_t count, std::string_view action,
                              const UnitCost& cost) {
  ComponentEnergy component;
  component.name = std::move(name);
  component.component_class = "logic";
  component.count = count;
  component.actions = {{std::string(action), cost.energy}};
  component.area = cost.area;
  component.standing = "computed";
  component.flags = cost.flags;
  return component;
}

/// Idle energy is not charged: what is said of it would only distract.
ComponentEnergy without_idle(ComponentEnergy component) {
  std::erase_if(component.flags, [&](const std::string& flag) {
    const auto& idle = component.idle_flags;
    return std::find(idle.begin(), idle.end(), flag) != idle.end();
  });
  return component;
}

ComponentEnergy element_memory(const EnergyTable& table, const std::string& name, Bytes capacity,
                               std::uint64_t width_bits, std::uint64_t count) {
  const std::uint64_t depth = std::max<std::uint64_t>(1, 8 * capacity.count() / width_bits);
  return without_idle(
      memory_component(table, name, depth, static_cast<unsigned>(width_bits), count));
}

ComponentEnergy dram_of(const RowwiseSpec& spec, const EnergyTable& table) {
  const Picojoules bit = spec.dram_picojoules_per_bit ? Picojoules(*spec.dram_picojoules_per_bit)
                                                      : dram_energy_per_bit(table, spec.dram_type);
  ComponentEnergy dram;
  dram.name = "dram";
  dram.component_class = "dram";
  dram.width_bits = 1;
  dram.actions = {{"read_bits", bit}, {"write_bits", bit}};
  dram.standing = spec.dram_picojoules_per_bit ? "as the machine states it" : "published";
  return dram;
}

}  // namespace

ElementMemories element_memories(const RowwiseSpec& spec) {
  const std::string& name = spec.elements.buffer;
  if (!spec.elements.separate) return {name, name, name};
  const std::string leader = spec.leader_is_b ? ".B" : ".A";
  const std::string follower = spec.leader_is_b ? ".A" : ".B";
  return {name + leader, name + follower, name + ".Z"};
}

ComponentSet rowwise_components(const RowwiseSpec& spec, const EnergyTable& table) {
  const double clock_ns = 1e9 / spec.clock.count();
  const RowwiseElementSpec& elements = spec.elements;
  ComponentSet set;
  set.name = table.name;
  set.node_nm = table.node_nm;
  set.components.push_back(dram_of(spec, table));
  if (spec.level) {
    SramShape shape;
    shape.capacity = spec.level->capacity;
    shape.width_bits = static_cast<unsigned>(8 * spec.level->line.count());
    shape.banks = spec.level->banks;
    set.components.push_back(without_idle(sram_component(table, spec.level->name, shape)));
  }
  const ElementMemories memories = element_memories(spec);
  const std::uint64_t line = 8 * elements.line.count();
  if (elements.separate) {
    set.components.push_back(
        element_memory(table, memories.leader, elements.leader_room, line, elements.count));
    set.components.push_back(
        element_memory(table, memories.follower, *elements.follower_room, line, elements.count));
    set.components.push_back(
        element_memory(table, memories.sums, elements.output_room, spec.sums.bits, elements.count));
  } else {
    set.components.push_back(element_memory(
        table, memories.leader, elements.leader_room + elements.output_room, line, elements.count));
  }
  if (spec.merges()) {
    const auto coordinate =
        static_cast<unsigned>(std::max<std::uint64_t>(1, spec.follower().coordinate_bits));
    UnitCost merge = unit_cost(table, "comparator", coordinate, clock_ns)
                         .times(static_cast<double>(std::bit_width(elements.radix - 1)));
    merge += unit_cost(table, "register", static_cast<unsigned>(spec.follower().nonzero_bits()),
                       clock_ns);
    set.components.push_back(rowwise_logic("merge", elements.count, "merge", merge));
  }
  const std::uint64_t multipliers = elements.count * elements.lanes;
  set.components.push_back(rowwise_logic("multiplier", multipliers, "compute",
                                         multiplier_cost(table, spec.operands, clock_ns)));
  set.components.push_back(
      rowwise_logic("adder", multipliers, "compute", adder_cost(table, spec.sums, clock_ns)));
  set.components.push_back(
      rowwise_logic("sequencer", 1, "step", unit_cost(table, "counter", 32, clock_ns)));
  return set;
}

NeededActions rowwise_actions(const RowwiseSpec& spec) {
  NeededActions needed{{"dram", {"read_bits", "write_bits"}},
                       {"multiplier", {"compute"}},
                       {"adder", {"compute"}},
                       {"sequencer", {"step"}}};
  if (spec.level) needed.push_back({spec.level->name, {"read", "write"}});
  if (spec.merges()) needed.push_back({"merge", {"merge"}});
  const ElementMemories memories = element_memories(spec);
  needed.push_back({memories.leader, {"read", "write"}});
  if (spec.elements.separate) {
    needed.push_back({memories.follower, {"read", "write"}});
    needed.push_back({memories.sums, {"read", "write"}});
  }
  return needed;
}

}  // namespace lacuna
