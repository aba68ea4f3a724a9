// SPDX-License-Identifier: Apache-2.0
// What a machine's components cost, from its energy table or the tables that it names, before
// anything has run. Throws InputError for a table that lacks an action that the machine counts.
#pragma once

#include "arch/description/read_spec.hpp"
#include "arch/energy/component.hpp"

namespace lacuna {

[[nodiscard]] ComponentSet priced_machine(const MachineSpec& machine);
[[nodiscard]] ComponentSet priced_machine(const FabricSpec& machine);
[[nodiscard]] ComponentSet priced_machine(const RowwiseSpec& machine);
[[nodiscard]] ComponentSet priced_machine(const AnyMachine& machine);

}  // namespace lacuna
