// SPDX-License-Identifier: Apache-2.0
// Several operations as one program: what a machine executes whose operations follow each other in
// one simulation.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "arch/program/array_program.hpp"

namespace lacuna {

/// An operation as a step runs it; see ArrayProgram::Operation.
struct StepOperation {
  std::shared_ptr<const ArrayProgram> program;  // of one operation
  std::size_t a_after = 0, b_after = 0;
};

/// In their order. Throws ModelError for an operation that waits for a later one or itself.
[[nodiscard]] ArrayProgram join_programs(std::vector<StepOperation> operations);

}  // namespace lacuna
