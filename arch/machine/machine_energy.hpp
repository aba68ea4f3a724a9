// SPDX-License-Identifier: Apache-2.0
// What each action of an ExTensor-class machine costs, built from a component table. Components:
//   dram          pJ per bit as the machine states it
//   llb, peb      SRAM of their capacity, one line per access (arch/energy/buffer_price.hpp)
//   intersect_k*  a try compares two 32-bit coordinates held in registers, a match writes the
//                 64-bit output register (published structure; reference section 6, energy hints)
//   multiplier, adder   fp64, from the floating-point rows at the machine's clock
//   sequencer     one counter step per loop trip
//   link_*        wires, registers and switches to memory and to the elements, a byte at a time
//   control_*     counters of the buffers' policies: area and leakage
// Not modelled, as in the published runs: the clock tree. Of memory without a type the interface
// and the background power, of a port or link that is not bounded what its width would take.
#pragma once

#include "arch/energy/account.hpp"
#include "arch/energy/component.hpp"
#include "arch/energy/energy_table.hpp"
#include "arch/program/statistics.hpp"
#include "arch/spec/machine_spec.hpp"

namespace lacuna {

[[nodiscard]] ComponentSet machine_components(const MachineSpec& spec, const EnergyTable& table);

/// Components and actions that a run of such a machine can count.
[[nodiscard]] NeededActions machine_actions();

/// Counts times table; checked to be the sum of its lines.
[[nodiscard]] EnergyAccount account_energy(const ComponentSet& components,
                                           const ActionCounts& actions);

}  // namespace lacuna
