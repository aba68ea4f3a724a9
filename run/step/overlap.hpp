// SPDX-License-Identifier: Apache-2.0
// From operations one after another to a step in which they overlap.
#pragma once

#include "run/fabric/run.hpp"
#include "run/step/step_time.hpp"

namespace lacuna {

/// Simulates the blocks' operations as one step and gives their sum its time: cycles, those of each
/// report, stalls, and bounds, which are the whole step's. Counts, traffic and energy are the
/// sum's. The parts of all blocks are the reports in their order. `executed`: operations in the
/// sum. Throws ModelError when the step takes less than its bound.
void overlap_operations(const FabricSpec& machine, const std::vector<StepBlock>& blocks,
                        const FabricOptions& options, std::uint64_t executed, RunResult& total);

}  // namespace lacuna
