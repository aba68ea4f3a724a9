// SPDX-License-Identifier: Apache-2.0
#include "arch/energy/sparse_units.hpp"

#include <bit>

namespace lacuna {
namespace {

constexpr double kMuxesOfShifter = 5 * 32;

unsigned stages_of(std::uint64_t words) {
  return words <= 1 ? 0U : static_cast<unsigned>(std::bit_width(words - 1));
}

UnitCost muxes(const EnergyTable& table, double count, double clock_ns) {
  return unit_cost(table, "shifter", 32, clock_ns).times(count / kMuxesOfShifter);
}

UnitCost registers(const EnergyTable& table, std::uint64_t bits, double clock_ns) {
  return unit_cost(table, "register", 1, clock_ns).times(static_cast<double>(bits));
}

}  // namespace

UnitCost mux_cost(const EnergyTable& table, std::uint64_t inputs, std::uint64_t bits,
                  double clock_ns) {
  return muxes(table, static_cast<double>(inputs - 1) * static_cast<double>(bits), clock_ns);
}

UnitCost rotator_cost(const EnergyTable& table, std::uint64_t words, std::uint64_t bits,
                      double clock_ns) {
  const double each = static_cast<double>(words) * static_cast<double>(bits);
  return muxes(table, each * stages_of(words), clock_ns);
}

UnitCost variable_fetch_cost(const EnergyTable& table, std::uint64_t words, std::uint64_t bits,
                             double clock_ns) {
  UnitCost cost = registers(table, 2 * words * bits, clock_ns);
  return cost += rotator_cost(table, words, bits, clock_ns);
}

UnitCost compressor_cost(const EnergyTable& table, std::uint64_t words, std::uint64_t bits,
                         double clock_ns) {
  UnitCost cost = unit_cost(table, "comparator", static_cast<unsigned>(bits), clock_ns)
                      .times(static_cast<double>(words));
  cost += saf_cost(table, "prefix_sum", static_cast<double>(words));
  cost += rotator_cost(table, words, bits, clock_ns);
  return cost += registers(table, words * bits, clock_ns);
}

UnitCost merger_cost(const EnergyTable& table, std::uint64_t radix, unsigned coordinate_bits,
                     unsigned nonzero_bits, double clock_ns) {
  const UnitCost comparator = unit_cost(table, "comparator", coordinate_bits, clock_ns),
                 nonzero = unit_cost(table, "register", nonzero_bits, clock_ns);
  UnitCost node = comparator;
  node += nonzero;
  UnitCost cost = node.times(static_cast<double>(radix - 1));
  cost.energy = comparator.energy * stages_of(radix) + nonzero.energy;
  return cost;
}

}  // namespace lacuna
