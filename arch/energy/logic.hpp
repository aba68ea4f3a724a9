// SPDX-License-Identifier: Apache-2.0
// Energy, idle energy and area of logic units: adders, multipliers, MACs, registers, register
// files, wires, sparse-acceleration units. Formulas: accelergy-aladdin-plug-in@5e2e126,
// aladdin_table.py (scaling rules); their values equal the released Sparseloop tables exactly.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "arch/energy/energy_table.hpp"
#include "arch/energy/precision.hpp"
#include "base/units.hpp"

namespace lacuna {

/// What a unit costs: per action, per idle cycle, and in area. `flags` names every value that
/// leaves the published data ("extrapolated: ..."), follows from another node ("scaled: ...") or
/// rests on a rule of ours ("inferred: ..."); empty means published, or computed exactly from it.
struct UnitCost {
  Picojoules energy;
  Picojoules idle;
  SquareMicrons area;
  std::vector<std::string> flags;
  double leakage_mw =
      0;  // idle energy over the clock of its row; nothing is known at nodes without

  UnitCost& operator+=(const UnitCost& other);
  [[nodiscard]] UnitCost times(double factor) const;
  [[nodiscard]] bool flagged(std::string_view start) const;
};

/// Appends what is not there yet.
void add_flags(std::vector<std::string>& flags, const std::vector<std::string>& more);

/// A unit of the table by name (adder, multiplier, comparator, counter, register, bitwise, shifter,
/// ...) at a width in bits. `clock_ns` defaults to the table's; between rows it is interpolated
/// linearly, beyond them the end row is taken and flagged. Integer widths below the row's follow
/// the published scaling rule, wider ones are flagged as extrapolated.
[[nodiscard]] UnitCost unit_cost(const EnergyTable& table, std::string_view unit, unsigned width,
                                 std::optional<double> clock_ns = {});

/// Floating point from the fp32 rows up to 32 bits and from the fp64 rows above, add linear and
/// multiply quadratic in the width; flagged unless fp32 or fp64 itself. Idle energy is not
/// published: that of the integer unit of the same width is taken, flagged.
[[nodiscard]] UnitCost adder_cost(const EnergyTable& table, const Precision& precision,
                                  std::optional<double> clock_ns = {});
[[nodiscard]] UnitCost multiplier_cost(const EnergyTable& table, const Precision& precision,
                                       std::optional<double> clock_ns = {});

/// A multiplier and an adder; the adder has the operands' precision unless `accumulate` is given
/// (the published MACs: the same). `reused`: one operand held, multiplier energy x 0.85. A gated
/// MAC costs its idle energy.
[[nodiscard]] UnitCost mac_cost(const EnergyTable& table, const Precision& precision,
                                std::optional<Precision> accumulate = {}, bool reused = false,
                                std::optional<double> clock_ns = {});

/// E = register(width) + comparator(ceil(log2 depth) bits) x depth; idle likewise; the area counts
/// one word of registers (the source's rule, far too small for a deep file). At the 5 ns rows:
/// .009 w + .029015 ceil(log2 d)/32 d.
[[nodiscard]] UnitCost register_file_cost(const EnergyTable& table, std::uint64_t depth,
                                          unsigned width, std::optional<double> clock_ns = {});

/// inputs x outputs/4 of the 1-to-4 row.
[[nodiscard]] UnitCost crossbar_cost(const EnergyTable& table, unsigned inputs, unsigned outputs,
                                     unsigned width, std::optional<double> clock_ns = {});

/// width x activity x capacitance x length x V^2: .325 fJ per bit and um. No area.
[[nodiscard]] UnitCost wire_cost(const EnergyTable& table, unsigned width, double length_um);

/// A sparse-acceleration unit (bitmask_intersect, prefix_sum, ...) by its size; log-log between
/// the characterised sizes, beyond them with the end pair's slope, flagged. Never scaled between
/// nodes: a table of another node flags it.
[[nodiscard]] UnitCost saf_cost(const EnergyTable& table, std::string_view unit, double size);

/// pJ per bit, read or write, by kind (lpddr4, hbm2, ...).
[[nodiscard]] Picojoules dram_energy_per_bit(const EnergyTable& table, std::string_view kind);

}  // namespace lacuna
