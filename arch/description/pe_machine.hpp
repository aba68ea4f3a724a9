// SPDX-License-Identifier: Apache-2.0
// From a description to the machine that runs it: processing elements with buffers of their own
// behind a last-level buffer, which intersect fibers. What the description says and no run takes
// yet is refused, at its place.
#pragma once

#include "arch/description/machine.hpp"
#include "arch/spec/machine_spec.hpp"

namespace lacuna::description {

/// Throws InputError with file, line and field.
[[nodiscard]] MachineSpec pe_machine(const ConfigReader& config, const Machine& machine);

}  // namespace lacuna::description
