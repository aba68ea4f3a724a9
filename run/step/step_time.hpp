// SPDX-License-Identifier: Apache-2.0
// The time of a step: its operations in one simulation, in order. While one runs, what is in memory
// already is fetched ahead for the next ones, as far as the buffer's shares allow
// (arch/buffer/stream_leases.hpp).
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "arch/program/join_programs.hpp"
#include "arch/system/array_system.hpp"

namespace lacuna {

/// When an operand may be fetched. Nothing: it is in memory from the start, as weights are. A
/// number: all that comes before this repetition of its block is over, and so many of the block's
/// operations.
using FetchedAfter = std::optional<std::size_t>;

struct StepPart {
  std::shared_ptr<const ArrayProgram> program;  // of one operation
  FetchedAfter a, b;
};

/// Operations that are repeated together: the layers of a model that are alike.
struct StepBlock {
  std::vector<StepPart> parts;
  std::uint64_t times = 1;
};

struct StepTime {
  Cycles cycles;
  std::vector<std::vector<OperationTime>> parts;  // of each block, over all its repetitions
  ArrayRun run;                                   // of what was simulated
};

/// Repetitions of a block that are simulated. The first meets what came before the block; the
/// others all meet their like, and take what the last of these takes.
inline constexpr std::uint64_t kSimulatedRepetitions = 2;

/// Throws as run_array_program() does.
[[nodiscard]] StepTime time_of_step(const FabricSpec& machine, const std::vector<StepBlock>& blocks,
                                    const ArrayRunOptions& options);

}  // namespace lacuna
