// SPDX-License-Identifier: Apache-2.0
// From a description to the machine that runs it: arrays of multipliers behind one level of
// buffers, or in clusters behind one that they share. What the description says and no run takes
// yet is refused, at its place.
#pragma once

#include "arch/description/machine.hpp"
#include "arch/spec/fabric_spec.hpp"

namespace lacuna::description {

/// Throws InputError with file, line and field.
[[nodiscard]] FabricSpec array_machine(const ConfigReader& config, const Machine& machine);

/// A mapping that the machine's file gives for one product, checked against the machine.
[[nodiscard]] FabricMappingChoice read_mapping(const ConfigReader& config,
                                               const FabricSpec& machine);

}  // namespace lacuna::description
