// SPDX-License-Identifier: Apache-2.0
// A product on a MAC-array machine: the patterns it runs at, its mapping, the instructions and
// everything that is counted, from the nonzeros of the operands.
//
// Inner product (TC, STC, STC-flexible, S2TA, HighLight, DSSO; micro22-sparseloop-artifact@de0374a,
// Fig. 15; Wu et al., HighLight, MICRO'23): k = lanes / d(A) positions of K share `lanes` slots, so
// cycles follow the degree that A runs at, not its nonzeros; a degree of B (S2TA, DSSO) shortens
// each step. Time of a step: the larger of its slots and its words through the GLB's port.
//
// Outer product (DSTC): each array takes rows x lanes of the nonzeros of a column of A and a row of
// B per cycle.
//   expected   the released statistical law: slots M K N dA dB / (MACs u(dA) u(dB)), GLB words in
//              the mean; cycles are the larger of the two
//   data       every K step of every tile: ceil(nA / rows) * ceil(nB / lanes) issue slots, its
//              products through the psum port, its operands and bitmasks through the GLB's port
//              while the line buffer, one step deep, still serves the step before: the step takes
//              the largest. Arrays that share operands meet at the end of an instruction; psums
//              leave through their port at the end of a tile.
#pragma once

#include <string>
#include <vector>

#include "arch/program/fabric_program.hpp"
#include "dataflows/fabric_mapping.hpp"
#include "dataflows/fabric_operands.hpp"

namespace lacuna {

enum class FabricMode { data, expected };

struct FabricPlan {
  std::string unsupported;  // why the machine cannot run this; all else is then empty
  std::vector<std::string> warnings;
  FabricPattern a_pattern, b_pattern;  // what the operands run at
  bool a_compressed = false, b_compressed = false;
  FabricMapping mapping;
  FabricCounts counts;
  double steps = 0;  // accumulations of one output
  std::uint64_t instructions = 0;
  FabricProgram program;
  /// Bytes of A and B that the GLB holds at most, by the mapping.
  std::uint64_t a_tile_bytes = 0, b_tile_bytes = 0;
  std::uint64_t z_bytes = 0;
  /// What the simulated time may lie above the bound by, without imbalance: the operands that must
  /// be there before the first tile is through, and the last outputs on their way out.
  double fill_cycles = 0, drain_cycles = 0;
};

/// The program does not refer to `operands`.
[[nodiscard]] FabricPlan compile_fabric(const FabricSpec& spec, const GemmOperands& operands,
                                        FabricMode mode = FabricMode::data);

}  // namespace lacuna
