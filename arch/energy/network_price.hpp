// SPDX-License-Identifier: Apache-2.0
// A link between two levels: wires as long as what it spans, a register at each cycle of its
// latency and at its end, and a tree of 1-to-4 switches to what it leads to.
#pragma once

#include <string>

#include "arch/energy/component.hpp"
#include "arch/energy/energy_table.hpp"

namespace lacuna {

struct LinkShape {
  double bytes_per_cycle = 0;  // in all directions; infinity: not bounded, and not priced
  std::uint64_t outputs = 1;   // that a byte may go to
  std::uint64_t latency = 0;   // cycles
  double length_mm = 0;
};

/// Action `byte`: one byte over the whole link. Wires by their capacitance (energy_table.hpp,
/// published), with no area, as they lie above what is counted; registers and switches from the
/// logic's rows at the clock.
[[nodiscard]] ComponentEnergy link_component(const EnergyTable& table, const std::string& name,
                                             const LinkShape& shape, double clock_ns,
                                             std::uint64_t count = 1);

/// How far a link leads where a machine does not say: half the side of the square that all
/// components but memory would fill (inferred).
[[nodiscard]] double link_length_mm(const ComponentSet& set);

}  // namespace lacuna
