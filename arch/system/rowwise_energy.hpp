// SPDX-License-Identifier: Apache-2.0
// What each action of a machine of row-wise products costs, built from a component table:
//   dram                pJ per bit, as the machine states it or by its type
//   the level           SRAM of its capacity, one line per access
//   the elements' memories  one of their lines per access; with a memory for each tensor the sums
//                       are read and written once for each multiply
//   merge               log2(radix) comparisons of coordinates and a register of a nonzero for each
//                       that goes through; radix - 1 of both in area (a tournament of the heads)
//   multiplier, adder   of the precision, at the machine's clock
//   sequencer           one counter step per task
//   link_*              wires, registers and switches to memory and to the elements, by the byte
// Not modelled: clock tree, tags of a cache, looking up where a fiber begins beyond its bytes; of
// memory without a type its interface and background power, of a port that is not bounded its
// width.
#pragma once

#include "arch/energy/component.hpp"
#include "arch/energy/energy_table.hpp"
#include "arch/program/statistics.hpp"
#include "arch/spec/rowwise_spec.hpp"

namespace lacuna {

/// Names of the elements' memories and what each holds; one for all of an element or one for each
/// tensor.
struct ElementMemories {
  std::string leader, follower, sums;
};
[[nodiscard]] ElementMemories element_memories(const RowwiseSpec& spec);

[[nodiscard]] ComponentSet rowwise_components(const RowwiseSpec& spec, const EnergyTable& table);

/// Components and actions that a run of this machine can count.
[[nodiscard]] NeededActions rowwise_actions(const RowwiseSpec& spec);

}  // namespace lacuna
