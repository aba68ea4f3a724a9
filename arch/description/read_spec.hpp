// SPDX-License-Identifier: Apache-2.0
// A machine's file, read: its description, then the parameters of the machine that runs it.
#pragma once

#include <variant>

#include "arch/description/machine.hpp"
#include "arch/spec/fabric_spec.hpp"
#include "arch/spec/machine_spec.hpp"
#include "arch/spec/rowwise_spec.hpp"

namespace lacuna {

using AnyMachine = std::variant<MachineSpec, FabricSpec, RowwiseSpec>;

/// A machine's file to be read, with what older files and settings say put where it belongs now.
/// Throws InputError.
[[nodiscard]] ConfigReader machine_reader(ConfigTree machine);

/// Throws InputError with file, line and field, also for what is described and not run yet.
[[nodiscard]] AnyMachine read_any_machine(const ConfigReader& config);
/// Likewise of a machine of processing elements, or of arrays; another is refused.
[[nodiscard]] MachineSpec read_machine(const ConfigReader& config);
[[nodiscard]] FabricSpec read_fabric(const ConfigReader& config);

}  // namespace lacuna
