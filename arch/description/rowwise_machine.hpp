// SPDX-License-Identifier: Apache-2.0
// From a description to the machine that runs it: elements in which every nonzero of one operand,
// the leader, names a fiber of the other. They merge the fibers (a unit of the class that merges
// stands beside the multiplier), fed by a level that holds fibers or by memory; or one element adds
// them up in a buffer of its own. What the description says and no run takes yet is refused, at
// its place.
#pragma once

#include "arch/description/machine.hpp"
#include "arch/spec/rowwise_spec.hpp"

namespace lacuna::description {

/// Whether the operands meet as leader and follower.
[[nodiscard]] bool is_rowwise(const Machine& machine);

/// Throws InputError with file, line and field.
[[nodiscard]] RowwiseSpec rowwise_machine(const ConfigReader& config, const Machine& machine);

}  // namespace lacuna::description
