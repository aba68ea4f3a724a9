// SPDX-License-Identifier: Apache-2.0
// A MAC-array machine in time: two operand streams from DRAM into the global buffer, arrays that
// execute one instruction after another, outputs that drain to DRAM. One event per instruction.
#pragma once

#include "arch/dram/dram_module.hpp"
#include "arch/program/fabric_program.hpp"
#include "arch/spec/fabric_spec.hpp"
#include "sim/simulation.hpp"

namespace lacuna {

struct FabricTiming {
  Cycles cycles;
  std::uint64_t instructions = 0;
  double busy = 0;          // cycles the arrays and the buffer's port worked
  std::uint64_t fill = 0;   // until the first instruction began
  std::uint64_t drain = 0;  // after the last ended
  std::uint64_t wait_a = 0, wait_b = 0, wait_z = 0;  // in between
  std::uint64_t a_walks = 0, b_walks = 0;            // of the program: fetches of whole bytes
  Moved dram_a, dram_b, dram_z;
  std::uint64_t activations = 0;
  Meters meters;
};

struct FabricRunOptions {
  sim::StallInjection stalls;
  sim::Timeline* timeline = nullptr;
};

/// Executes the program. Throws ModelError when bytes do not balance.
[[nodiscard]] FabricTiming run_fabric_program(const FabricSpec& spec, const FabricProgram& program,
                                              const FabricRunOptions& options);

}  // namespace lacuna
