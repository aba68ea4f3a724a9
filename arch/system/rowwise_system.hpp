// SPDX-License-Identifier: Apache-2.0
// A machine of row-wise products, put together for one run: a program goes in, statistics come out.
#pragma once

#include "arch/machine/machine.hpp"
#include "arch/program/rowwise_program.hpp"
#include "arch/spec/rowwise_spec.hpp"

namespace lacuna {

/// Throws ModelError when an invariant breaks. The product, where values were carried, has the
/// leader's fibers as rows.
[[nodiscard]] RunOutcome run_rowwise(const RowwiseSpec& spec, RowwiseProgram& program,
                                     const RunOptions& options);

}  // namespace lacuna
