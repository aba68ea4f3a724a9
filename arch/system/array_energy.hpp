// SPDX-License-Identifier: Apache-2.0
// From the counts of a MAC-array run to its energy, by the rules that reproduce the released runs
// (micro22-sparseloop-artifact@de0374a, Fig. 15): the global buffer per line, a word its share of
// one; metadata per word of its own memory; MAC, register and RF per action; DRAM per line. Priced
// by a table, bytes over links and words through scatter networks come on top.
#pragma once

#include "arch/energy/account.hpp"
#include "arch/program/array_counts.hpp"
#include "arch/spec/fabric_spec.hpp"

namespace lacuna {

/// The machine's components priced from a technology table.
[[nodiscard]] ComponentSet fabric_components(const FabricSpec& spec, const EnergyTable& table);

/// Adds the sparse acceleration units to a set, when they are charged.
void add_saf_component(const FabricSpec& spec, ComponentSet& set);

/// What a run of this machine counts.
[[nodiscard]] NeededActions fabric_actions(const FabricSpec& spec);

/// Throws ModelError when an action is missing; call require_actions() first.
[[nodiscard]] EnergyAccount account_fabric(const FabricSpec& spec, const ComponentSet& set,
                                           const FabricCounts& counts);

}  // namespace lacuna
