// SPDX-License-Identifier: Apache-2.0
// A level of a machine as SRAM: one memory, or several side by side with wires between them and
// the level's port. A memory alone is wired by CACTI, to one edge; a large one is therefore dear,
// and cut into slices it is not, but for these wires.
#pragma once

#include <optional>
#include <string>

#include "arch/energy/component.hpp"
#include "arch/energy/energy_table.hpp"

namespace lacuna {

struct BufferShape {
  SramShape whole;           // its capacity; width, banks and ports of each memory
  std::uint64_t slices = 1;  // memories side by side, at least
  /// Bytes in a cycle that its ports pass; infinity: not bounded, and not priced.
  double read_bytes = 0, write_bytes = 0;
  std::optional<double> wire_mm;  // from the port to a memory; absent: see buffer_component()
};

/// Mean way from the middle of a square to a point in it, along its edges, over the edge's length:
/// 1/4 in each direction (computed). A level's port stands in the middle of its memories.
inline constexpr double kWayInSquare = 0.5;

/// Reads and writes of one word. As many memories as the slices, or as the ports need (flagged); an
/// access also crosses the wires, by default kWayInSquare times what the side of the square of all
/// memories is longer than that of one (inferred: its own is in CACTI's figures). Flags say what
/// the clock finds too slow, and ports that are not bounded.
[[nodiscard]] ComponentEnergy buffer_component(const EnergyTable& table, const std::string& name,
                                               const BufferShape& shape, double clock_ns,
                                               std::uint64_t count = 1);

/// Counters, comparators and scoreboard of a buffer policy for one tensor (structure after
/// micro23-teaal-artifact@da8f556, buffet.yaml; widths inferred). Area and leakage: what a step of
/// them costs is not priced.
enum class BufferControl { buffet, tailors };
[[nodiscard]] UnitCost control_cost(const EnergyTable& table, BufferControl control,
                                    double clock_ns);

}  // namespace lacuna
