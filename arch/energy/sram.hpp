// SPDX-License-Identifier: Apache-2.0
// Energy, leakage, area and time of SRAM from size, width, banks and ports, by CACTI 7's figures
// (sram_grid.hpp; their standing: computed).
//
// A memory of the grid costs what stands there. Between two sizes of a row each figure is a power
// law through both; so it is between the widths on both sides of one that the grid lacks. Half-way
// sizes that the grid holds too are met so within 1.7 % (median) and 10.7 % (nine of ten) in read
// energy, with a width left out within 6.5 and 19.8 % (tested). Banks take the nearest count not
// above, words wider than the widest row are memories side by side, a row's end is continued by its
// last power law; each is flagged. Leakage is that of standby cells (lstp, 300 K) and is never
// carried from one node to another.
//
// Inferred from published memories, and parameters of the table (SramRules): an access of b banks
// takes (1 - s + s / b) of CACTI's energy, s = 0.3; a width is cut to whole bytes. So the published
// memories that the grid holds come out within 0.01 % (tested).
#pragma once

#include <string>
#include <vector>

#include "arch/energy/energy_table.hpp"
#include "arch/energy/logic.hpp"
#include "arch/energy/sram_grid.hpp"
#include "base/units.hpp"

namespace lacuna {

/// One memory; `width_bits` is what one access moves, the depth follows.
struct SramShape {
  Bytes capacity;
  unsigned width_bits = 64;
  unsigned banks = 1;
  SramPorts ports = SramPorts::rw1;

  [[nodiscard]] std::string text() const;
};

struct SramCost {
  Picojoules read, write;  // of an access
  Picojoules idle;         // leakage in one of the memory's own cycles: what a gated access costs
                           // in the published tables
  SquareMicrons area;
  double leakage_mw = 0;
  double access_ns = 0;            // from address to data; longer than a clock, it is pipelined
  double cycle_ns = 0;             // least time between accesses of one bank
  std::vector<std::string> flags;  // as in UnitCost
};

/// Throws InputError for a shape that cannot be (no bytes, no width, wider than it is large).
[[nodiscard]] SramCost sram_cost(const EnergyTable& table, const SramShape& shape);

/// A memory of `depth` words as the published tables treat it: a register file up to depth 128 and
/// width 32 (its area only up to width 16), SRAM beyond.
[[nodiscard]] SramCost memory_cost(const EnergyTable& table, std::uint64_t depth,
                                   unsigned width_bits, unsigned banks = 1,
                                   SramPorts ports = SramPorts::rw1,
                                   std::optional<double> clock_ns = {});

/// Memories of this shape that must stand side by side for their ports to pass so many bytes in a
/// cycle: each bank takes one access for each of its ports. At least 1; an unbounded rate asks for
/// nothing.
[[nodiscard]] std::uint64_t memories_for(const SramShape& shape, double read_bytes,
                                         double write_bytes);

/// What a machine should know of a memory's time: whether banks and memories side by side make up
/// for a cycle that is longer than its clock.
void add_time_flags(const SramCost& cost, std::uint64_t banks, double clock_ns,
                    std::vector<std::string>& flags);

}  // namespace lacuna
