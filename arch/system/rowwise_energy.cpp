// SPDX-License-Identifier: Apache-2.0
#include "arch/system/rowwise_energy.hpp"

#include <algorithm>

#include "arch/energy/buffer_price.hpp"
#include "arch/energy/logic.hpp"
#include "arch/energy/network_price.hpp"
#include "arch/energy/sparse_units.hpp"

namespace lacuna {
namespace {

ComponentEnergy rowwise_logic(std::string name, std::uint64_t count, std::string_view action,
                              const UnitCost& cost, std::string source) {
  auto component = unit_component(std::move(name), "logic", action, cost, std::move(source), count);
  component.actions.erase("idle");
  return component;
}

ComponentEnergy element_memory(const EnergyTable& table, const std::string& name, Bytes capacity,
                               std::uint64_t width_bits, std::uint64_t count, double clock_ns) {
  const std::uint64_t depth = std::max<std::uint64_t>(1, 8 * capacity.count() / width_bits);
  return memory_component(table, name, depth, static_cast<unsigned>(width_bits), count, clock_ns);
}

ComponentEnergy dram_of(const RowwiseSpec& spec, const EnergyTable& table) {
  ComponentEnergy dram;
  if (spec.dram_picojoules_per_bit) {
    dram.name = "dram";
    dram.component_class = "dram";
    dram.standing = "as the machine states it";
    dram.source = fmt::format("{} pJ per bit", *spec.dram_picojoules_per_bit);
    dram.flags = {"not priced: interface, background and refresh of memory that is no type"};
  } else {
    dram = dram_component(table, "dram", spec.dram_type, 1,
                          spec.dram.bytes_per_cycle * spec.clock.count() * 1e-9);
  }
  const Picojoules bit = spec.dram_picojoules_per_bit ? Picojoules(*spec.dram_picojoules_per_bit)
                                                      : dram_energy_per_bit(table, spec.dram_type);
  dram.width_bits = 1;
  dram.actions = {{"read_bits", bit}, {"write_bits", bit}};
  return dram;
}

void add_level(const RowwiseSpec& spec, const EnergyTable& table, double clock_ns,
               ComponentSet& set) {
  const FiberLevelSpec& level = *spec.level;
  const LevelPrice price = spec.prices.level(0);
  set.components.push_back(
      buffer_component(table, level.name,
                       {{level.capacity, static_cast<unsigned>(8 * level.line.count()), level.banks,
                         price.ports.value_or(SramPorts::rw1)},
                        level.slices,
                        level.read_bytes_per_cycle,
                        level.write_bytes_per_cycle,
                        price.wire_mm},
                       clock_ns));
  if (level.policy == BufferPolicy::cache) {
    set.components.back().flags.emplace_back("not priced: tags of the cache");
    return;
  }
  const bool tail = level.policy == BufferPolicy::tailors;
  set.components.push_back(rowwise_logic(
      "control", 1, "step",
      control_cost(table, tail ? BufferControl::tailors : BufferControl::buffet, clock_ns),
      "counters of one tensor"));
}

void add_memories(const RowwiseSpec& spec, const EnergyTable& table, double clock_ns,
                  ComponentSet& set) {
  const RowwiseElementSpec& elements = spec.elements;
  const ElementMemories memories = element_memories(spec);
  const auto add = [&](const std::string& name, Bytes capacity, std::uint64_t bits) {
    set.components.push_back(element_memory(table, name, capacity, bits, elements.count, clock_ns));
  };
  const std::uint64_t line = 8 * elements.line.count();
  if (!elements.separate)
    return add(memories.leader, elements.leader_room + elements.output_room, line);
  add(memories.leader, elements.leader_room, line);
  add(memories.follower, *elements.follower_room, line);
  add(memories.sums, elements.output_room, spec.sums.bits);
}

void add_logic(const RowwiseSpec& spec, const EnergyTable& table, double clock_ns,
               ComponentSet& set) {
  const RowwiseElementSpec& elements = spec.elements;
  const auto add = [&](const char* name, std::uint64_t count, const char* action,
                       const UnitCost& cost, std::string source) {
    set.components.push_back(rowwise_logic(name, count, action, cost, std::move(source)));
  };
  if (spec.merges()) {
    const auto coordinate =
        static_cast<unsigned>(std::max<std::uint64_t>(1, spec.follower().coordinate_bits));
    add("merge", elements.count, "merge",
        merger_cost(table, elements.radix, coordinate,
                    static_cast<unsigned>(spec.follower().nonzero_bits()), clock_ns),
        fmt::format("tournament of {} fibers, coordinates of {} b", elements.radix, coordinate));
  }
  const std::uint64_t multipliers = elements.count * elements.lanes;
  add("multiplier", multipliers, "compute", multiplier_cost(table, spec.operands, clock_ns),
      spec.operands.name + " multiplier");
  add("adder", multipliers, "compute", adder_cost(table, spec.sums, clock_ns),
      spec.sums.name + " adder");
  add("sequencer", 1, "step", unit_cost(table, "counter", 32, clock_ns), "32-bit counter");
}

}  // namespace

ElementMemories element_memories(const RowwiseSpec& spec) {
  const std::string& name = spec.elements.buffer;
  if (!spec.elements.separate) return {name, name, name};
  const std::string leader = spec.leader_is_b ? ".B" : ".A";
  const std::string follower = spec.leader_is_b ? ".A" : ".B";
  return {name + leader, name + follower, name + ".Z"};
}

ComponentSet rowwise_components(const RowwiseSpec& spec, const EnergyTable& given) {
  EnergyTable table = given;
  if (!spec.prices.cells.empty()) table.sram.cells = spec.prices.cells;
  const double clock_ns = 1e9 / spec.clock.count();
  ComponentSet set;
  set.name = table.name;
  set.node_nm = table.node_nm;
  set.components.push_back(dram_of(spec, table));
  if (spec.level) add_level(spec, table, clock_ns, set);
  add_memories(spec, table, clock_ns, set);
  add_logic(spec, table, clock_ns, set);
  const double mm = link_length_mm(set);
  const auto link = [&](const char* name, double rate, std::size_t level, std::uint64_t outputs,
                        std::uint64_t latency) {
    set.components.push_back(link_component(
        table, name, {rate, outputs, latency, spec.prices.level(level).link_mm.value_or(mm)},
        clock_ns));
  };
  link("link_memory", spec.dram.bytes_per_cycle, 0, spec.level ? 1 : spec.elements.count, 0);
  if (spec.level) {
    link("link_elements", spec.level->read_bytes_per_cycle + spec.level->write_bytes_per_cycle, 1,
         spec.elements.count, spec.level->latency.count());
  }
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
