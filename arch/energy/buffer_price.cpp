// SPDX-License-Identifier: Apache-2.0
#include "arch/energy/buffer_price.hpp"

#include <algorithm>
#include <cmath>

#include "base/quantity_text.hpp"

namespace lacuna {
namespace {

std::uint64_t memories_of(const BufferShape& shape, std::vector<std::string>& flags) {
  const std::uint64_t words =
      std::max<std::uint64_t>(1, 8 * shape.whole.capacity.count() / shape.whole.width_bits);
  const std::uint64_t needed = memories_for(shape.whole, shape.read_bytes, shape.write_bytes);
  const std::uint64_t memories = std::min(words, std::max(shape.slices, needed));
  if (needed > shape.slices) {
    flags.push_back(
        fmt::format("inferred: ports of {:.4g} and {:.4g} B/cycle need {} memories side "
                    "by side",
                    shape.read_bytes, shape.write_bytes, memories));
  }
  if (!std::isfinite(shape.read_bytes) || !std::isfinite(shape.write_bytes)) {
    flags.emplace_back("not priced: a port that is not bounded");
  }
  return memories;
}

double wire_of(const BufferShape& shape, SquareMicrons one, std::uint64_t memories) {
  if (shape.wire_mm) return *shape.wire_mm;
  const double side = std::sqrt(one.count()) * 1e-3;
  return kWayInSquare * side * (std::sqrt(static_cast<double>(memories)) - 1);
}

}  // namespace

ComponentEnergy buffer_component(const EnergyTable& table, const std::string& name,
                                 const BufferShape& shape, double clock_ns, std::uint64_t count) {
  std::vector<std::string> flags;
  const std::uint64_t memories = memories_of(shape, flags);
  SramShape one = shape.whole;
  one.capacity = Bytes(ceil_div(shape.whole.capacity.count(), memories));
  const SramCost cost = sram_cost(table, one);
  ComponentEnergy component = sram_component(table, name, one, memories * count);
  add_time_flags(cost, memories * one.banks, clock_ns, flags);
  if (memories > 1 || shape.wire_mm) {
    const double mm = wire_of(shape, cost.area, memories);
    const UnitCost wire = wire_cost(table, one.width_bits, mm * 1000);
    for (const char* action : {"read", "write"}) component.actions[action] += wire.energy;
    component.source = fmt::format("{} memories side by side, {:.3g} mm of wires to each: {}",
                                   memories, mm, component.source);
  }
  component.source += fmt::format("; {:.3g} ns to data, {:.0f} cycles", cost.access_ns,
                                  std::max(1.0, std::ceil(cost.access_ns / clock_ns - 1e-9)));
  add_flags(component.flags, flags);
  return component;
}

UnitCost control_cost(const EnergyTable& table, BufferControl control, double clock_ns) {
  constexpr unsigned kPointer = 32;     // bits of a position in a tile
  constexpr unsigned kScoreboard = 12;  // entries of one bit
  const UnitCost counter = unit_cost(table, "counter", kPointer, clock_ns),
                 comparator = unit_cost(table, "comparator", kPointer, clock_ns);
  UnitCost cost = counter;  // filled so far; freed so far; and whether an entry is there
  cost += counter;
  cost += comparator;
  cost += unit_cost(table, "register", kScoreboard, clock_ns);
  if (control == BufferControl::tailors) {  // where the tail begins, what it holds
    cost += unit_cost(table, "register", kPointer, clock_ns);
    cost += counter;
    cost += comparator;
  }
  return cost;
}

}  // namespace lacuna
