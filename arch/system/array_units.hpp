// SPDX-License-Identifier: Apache-2.0
// What machines of arrays have beside multipliers and memories, by their menu of patterns: the
// units that select, intersect, find, scatter, fetch and pack, and what runs the buffers. Areas and
// leakage follow from their structure (arch/energy/sparse_units.hpp), each count is beside it; the
// energies of selecting, fetching and packing are the machine's own (component `saf`).
//
//   select_rank0   for each multiplier one of H0 words of B
//   select_rank1   for each block of G0 multipliers one of H1 blocks of H0 words
//   select_blocks  of B's rank 1 likewise: one of H1 blocks of A's G0 words
//   intersect      both operands skip at rank 0: masks of H0 bits, for each block of multipliers
//   condense       any zeros: a prefix sum of the tile's flags for each operand of each array
//   scatter        any zeros: products to the banks of partial sums; action `word`, one of them
//   zero_test      gating on what is stored plain: a comparator for each lane of each array
//   fetch, pack    for each cluster and for each array
//   control        of a buffer policy, for each tensor of each buffer
#pragma once

#include <vector>

#include "arch/energy/component.hpp"
#include "arch/energy/energy_table.hpp"
#include "arch/spec/fabric_spec.hpp"

namespace lacuna {

/// Banks of the partial sums of one array, which price an access too (the released designs').
inline constexpr unsigned kSumBanks = 16;

[[nodiscard]] std::vector<ComponentEnergy> array_units(const FabricSpec& spec,
                                                       const EnergyTable& table, double clock_ns);

}  // namespace lacuna
