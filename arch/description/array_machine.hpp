// SPDX-License-Identifier: Apache-2.0
// From a description to the machine that runs it: arrays of multipliers behind one level of
// buffers. What the description says and no run takes yet is refused, at its place.
#pragma once

#include "arch/description/machine.hpp"
#include "arch/spec/fabric_spec.hpp"

namespace lacuna::description {

/// Whether a machine file is written in this form.
[[nodiscard]] bool is_description(const ConfigReader& config);

/// Reads and checks the description and turns it into the parameters of an array machine. Throws
/// InputError with file, line and field.
[[nodiscard]] FabricSpec read_array_machine(const ConfigReader& config);

}  // namespace lacuna::description
