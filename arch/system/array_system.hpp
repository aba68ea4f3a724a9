// SPDX-License-Identifier: Apache-2.0
// A MAC-array machine in time: two operand streams from DRAM into the global buffer, a unit that
// executes one instruction after another, outputs that drain to DRAM. One event per instruction.
#pragma once

#include "arch/compute/i_unit.hpp"
#include "arch/memory/factory.hpp"
#include "arch/program/shared_program.hpp"
#include "arch/spec/fabric_spec.hpp"
#include "sim/simulation.hpp"

namespace lacuna {

/// An operation of a step: from the end of the one before to its own, the last until all outputs
/// are in memory.
struct OperationTime {
  Cycles cycles;
  double busy = 0;
  std::uint64_t wait_a = 0, wait_b = 0, wait_z = 0, wait_port = 0;
  std::uint64_t idle = 0;  // before a step's first instruction, after its last
};

/// What a run took and counted.
struct ArrayRun {
  Cycles cycles;
  FabricCounts counts;
  std::uint64_t instructions = 0;
  std::uint64_t slots = 0, buffer_bytes = 0;  // that instructions claim, of all clusters
  // Of the cluster that is done last:
  double busy = 0;          // cycles the arrays and the buffer's port worked
  std::uint64_t fill = 0;   // until the first instruction began
  std::uint64_t drain = 0;  // after the last ended
  std::uint64_t wait_a = 0, wait_b = 0, wait_z = 0;  // in between
  std::uint64_t wait_port = 0;  // within instructions, for who else passes the buffer's port
  /// What the time may lie above the bound by, without imbalance: the operands that must be there
  /// before the first tile is through, and the last outputs on their way out.
  double fill_and_drain = 0;
  std::uint64_t a_walks = 0, b_walks = 0;  // fetches of whole bytes
  std::uint64_t a_again = 0, b_again = 0;  // bytes that came again because a tile overflowed
  Moved dram_a, dram_b, dram_z;
  std::uint64_t activations = 0;
  Meters meters;
  std::vector<OperationTime> operations;  // of a program without clusters
};

/// What becomes of the time of an operation.
enum class ArrayTime {
  simulated,
  left_out,  // counts alone, instruction by instruction: its time is that of the step it is part of
};

struct ArrayRunOptions {
  ArrayTime time = ArrayTime::simulated;
  FabricMode mode = FabricMode::data;
  bool stepped = false;  // the arrays' time step by step (element fidelity)
  sim::StallInjection stalls;
  sim::Timeline* timeline = nullptr;
  MemoryFactory memory;                  // empty: a fixed bandwidth and latency for each channel
  std::optional<std::uint64_t> shuffle;  // see sim::SimulationOptions: for tests
  /// The unit for a part of the program, where it is not the machine's (tests).
  std::function<std::shared_ptr<IUnit>(const ArrayProgram::Part&)> unit_of;
};

/// Executes the program. Of one with several operations (join_programs()) the next fetch ahead
/// while one runs; what they count is the same as alone and is not counted again: `counts` stays
/// empty. Without its time an operation has counts, totals of ports and nothing else. Throws
/// ModelError when bytes do not balance, InputError when a tile that overflows its
/// room cannot pass the window.
[[nodiscard]] ArrayRun run_array_program(const FabricSpec& spec, const ArrayProgram& program,
                                         const ArrayRunOptions& options);
/// Likewise on clusters behind a level that they share.
[[nodiscard]] ArrayRun run_shared_program(const FabricSpec& spec, const SharedProgram& program,
                                          const ArrayRunOptions& options);

}  // namespace lacuna
