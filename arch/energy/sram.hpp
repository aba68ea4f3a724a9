// SPDX-License-Identifier: Apache-2.0
// SRAM energy and area by size and width, from the published CACTI points.
//
// A published memory costs what was published. Any other is interpolated, read, write, idle and
// area each by itself, in log-log: the points of one port count stand in rows of equal width; in
// each row the figure is a straight line in log(capacity) between neighbouring points; between the
// two rows around the asked width it is a straight line in log(width). Beyond a row's or the
// table's ends it goes on with the table's power laws, and that is flagged with the distance.
// Banks do not enter (the points do not identify their effect); they only tell published memories
// apart. Left out one at a time (the power laws held), the 45 nm points are met with a geometric
// mean error of 40 % in read, 29 % in write and 9 % in idle energy and 30 % in area, a factor of
// 1.92 at worst: the published points are few and not smooth (tested).
//
// Below CACTI's limits (width 32 bits, depth 64 per bank) a memory is a share of the smallest legal
// one: energy x (0.7 w/32 + 0.3) x (depth ratio)^0.78, idle and area linear in both
// (accelergy-cacti-plug-in@291018b, cacti_wrapper.py). Points below the limits are lifted to them
// by the same rule before interpolation.
#pragma once

#include <string>
#include <vector>

#include "arch/energy/energy_table.hpp"
#include "arch/energy/logic.hpp"
#include "base/units.hpp"

namespace lacuna {

/// One memory; `width_bits` is what one access moves, the depth follows.
struct SramShape {
  Bytes capacity;
  unsigned width_bits = 64;
  unsigned banks = 1;
  unsigned ports = 1;
};

/// Per access and per idle cycle. Gated accesses cost the idle energy, as in the published tables.
struct SramCost {
  Picojoules read;
  Picojoules write;
  Picojoules idle;
  SquareMicrons area;
  std::vector<std::string> flags;  // as in UnitCost, of all four
  // Those of `flags` that speak of one of them alone.
  std::vector<std::string> idle_flags = {};
  std::vector<std::string> area_flags = {};
};

/// Throws InputError for a shape that cannot be (no bytes, no width, wider than it is large).
[[nodiscard]] SramCost sram_cost(const EnergyTable& table, const SramShape& shape);

/// A memory of `depth` words as the published tables treat it: a register file up to depth 128 and
/// width 32 (its area only up to width 16), SRAM beyond.
[[nodiscard]] SramCost memory_cost(const EnergyTable& table, std::uint64_t depth,
                                   unsigned width_bits, unsigned banks = 1, unsigned ports = 1);

}  // namespace lacuna
