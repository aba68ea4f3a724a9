// SPDX-License-Identifier: Apache-2.0
// What selects, finds and packs nonzeros, made of the logic's rows. A multiplexer is a share of the
// 32-bit shifter, which is five stages of 32 two-way multiplexers: 1.56 um2 and 2.6 fJ each
// (computed from the published row).
#pragma once

#include "arch/energy/energy_table.hpp"
#include "arch/energy/logic.hpp"

namespace lacuna {

/// One of `inputs` words of `bits`: inputs - 1 two-way multiplexers for each bit.
[[nodiscard]] UnitCost mux_cost(const EnergyTable& table, std::uint64_t inputs, std::uint64_t bits,
                                double clock_ns);

/// Moves `words` of `bits` by any number of places: log2(words) stages.
[[nodiscard]] UnitCost rotator_cost(const EnergyTable& table, std::uint64_t words,
                                    std::uint64_t bits, double clock_ns);

/// Two lines in registers and a rotator, which gives words from any place of a stream of lines.
[[nodiscard]] UnitCost variable_fetch_cost(const EnergyTable& table, std::uint64_t words,
                                           std::uint64_t bits, double clock_ns);

/// Of `words` that come together the nonzero ones, side by side: comparators with zero, a prefix
/// sum of their answers, a rotator, one line of registers.
[[nodiscard]] UnitCost compressor_cost(const EnergyTable& table, std::uint64_t words,
                                       std::uint64_t bits, double clock_ns);

/// A tournament of `radix` fibers: radix - 1 comparators of coordinates, each with a register of a
/// nonzero. The energy is of one nonzero on its way through log2(radix) of them and one register.
[[nodiscard]] UnitCost merger_cost(const EnergyTable& table, std::uint64_t radix,
                                   unsigned coordinate_bits, unsigned nonzero_bits,
                                   double clock_ns);

}  // namespace lacuna
