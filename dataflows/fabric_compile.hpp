// SPDX-License-Identifier: Apache-2.0
// A product on a MAC-array machine: the patterns it runs at, its mapping, the instructions and
// everything that is counted, from the nonzeros of the operands.
//
// Inner product (TC, STC, STC-flexible, S2TA, HighLight, DSSO; micro22-sparseloop-artifact@de0374a,
// Fig. 15; Wu et al., HighLight, MICRO'23): k = lanes / d(A) positions of K share `lanes` slots, so
// cycles follow the degree that A runs at, not its nonzeros; a degree of B (S2TA, DSSO) shortens
// each step. Time of a step: the largest of its slots, its words through the GLB's port and the
// psums that it writes back through theirs.
//
// Outer product (DSTC): each array takes rows x lanes of the nonzeros of a column of A and a row of
// B per cycle.
//   expected   the released statistical law: slots M K N dA dB / (MACs u(dA) u(dB)), GLB words in
//              the mean; cycles are the larger of the two
//   data       every K step of every tile: ceil(nA / rows) * ceil(nB / lanes) issue slots, its
//              products through the psum port, its operands and bitmasks through the GLB's port
//              (and psums that do not stay back through theirs)
//              while the line buffer, one step deep, still serves the step before: the step takes
//              the largest. Arrays that share operands meet at the end of an instruction; psums
//              leave through their port at the end of a tile.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "arch/program/fabric_program.hpp"
#include "dataflows/fabric_mapping.hpp"
#include "dataflows/fabric_operands.hpp"
#include "dataflows/fabric_schedule.hpp"

namespace lacuna {

enum class FabricMode { data, expected };

/// How an operand is stored, where it is not one word of the machine for each value.
struct OperandStorage {
  double width = 1;        // words of the machine for one value, in the buffer and off chip
  double scale_words = 0;  // quantisation scales for one value, as metadata
  bool on_chip = false;    // an operation before left it in the global buffer
};

/// A product, or several that are alike: experts, heads, sequences, images.
struct FabricInstance {
  std::shared_ptr<const GemmOperands> operands;
  std::uint64_t times = 1;
  OperandStorage a, b;
  double z_width = 1;
  bool z_on_chip = false;  // outputs stay in the global buffer for the operation that follows
  /// Bytes of the global buffer that tensors of other operations take meanwhile, with whatever of
  /// this one's operands and outputs is on chip; 0: its own alone.
  double held_bytes = 0;
  /// Words of B that are stored and fetched, over those that the arrays read: below one for a
  /// lowered convolution, whose windows overlap.
  double b_footprint = 1;
};

/// One instance, compiled.
struct FabricPart {
  FabricInstance instance;
  FabricPattern a_pattern, b_pattern;  // what the operands run at
  bool a_compressed = false, b_compressed = false;
  FabricMapping mapping;
  FabricCounts counts;  // of one of the instance's products
  double steps = 0;     // accumulations of one output
  std::shared_ptr<const FabricSchedule> schedule;
};

struct FabricPlan {
  std::string unsupported;  // why the machine cannot run this; all else is then empty
  std::vector<std::string> warnings;
  std::vector<FabricPart> parts;
  FabricCounts counts;  // of all
  std::uint64_t instructions = 0;
  FabricProgram program;
  double expected_cycles = 0;  // by the mapper, before the run
  /// Bytes of A and B that the GLB holds at most, by the mapping; fetched again because a tile
  /// overflowed its room.
  std::uint64_t a_tile_bytes = 0, b_tile_bytes = 0;
  std::uint64_t a_again_bytes = 0, b_again_bytes = 0;
  std::uint64_t z_bytes = 0;  // to DRAM
  /// What the simulated time may lie above the bound by, without imbalance: the operands that must
  /// be there before the first tile is through, and the last outputs on their way out.
  double fill_cycles = 0, drain_cycles = 0;
};

/// One operation: its products run one after another as one stream of instructions. Products that
/// share a shape of A share the width of B's tile on a machine that sizes tiles by what they hold.
/// Throws InputError when no tiles fit the global buffer, those of a given mapping do not, or the
/// window is too small.
[[nodiscard]] FabricPlan compile_fabric(const FabricSpec& spec,
                                        const std::vector<FabricInstance>& instances,
                                        FabricMode mode = FabricMode::data);

/// One product; `operands` must outlive the plan's parts.
[[nodiscard]] FabricPlan compile_fabric(const FabricSpec& spec, const GemmOperands& operands,
                                        FabricMode mode = FabricMode::data);

}  // namespace lacuna
