// SPDX-License-Identifier: Apache-2.0
// An operation on a MAC-array machine: the patterns that its products run at, their mappings and
// the program, from the nonzeros of the operands. How long it takes and what it counts is the
// machine's business (arch/compute/arrays).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "arch/program/shared_program.hpp"
#include "dataflows/fabric_mapping.hpp"
#include "dataflows/fabric_schedule.hpp"

namespace lacuna {

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
  double z_width = 0;      // words of the machine for one output; 0: as the machine writes them
  bool z_on_chip = false;  // outputs stay in the global buffer for the operation that follows
  /// Bytes of the global buffer that tensors of other operations take meanwhile, with whatever of
  /// this one's operands and outputs is on chip; 0: its own alone.
  double held_bytes = 0;
  /// Words of B that are stored and fetched, over those that the arrays read: below one for a
  /// lowered convolution, whose windows overlap.
  double b_footprint = 1;
};

/// One instance, compiled; on a machine with clusters what the first of them has of it.
struct FabricPart {
  FabricInstance instance;
  FabricMapping mapping;
  std::shared_ptr<const FabricSchedule> schedule;
  [[nodiscard]] const ArrayProduct& product() const { return *schedule->product(); }
};

struct FabricPlan {
  std::string unsupported;  // why the machine cannot run this; all else is then empty
  std::vector<std::string> warnings;
  std::vector<FabricPart> parts;
  ArrayProgram program;  // of a machine with one global buffer
  SharedProgram shared;  // of one whose clusters share a level
  ArrayShares shares;    // of a global buffer; of several, the first's
  Estimate estimate;     // the machine's, before the run
  /// Bytes of A and B that the GLB holds at most, by the mapping.
  std::uint64_t a_tile_bytes = 0, b_tile_bytes = 0;
};

/// Throws InputError when every mapping of a product of this shape makes more instructions than are
/// taken: known before its operands are drawn.
void check_instructions(const FabricSpec& spec, FabricShape shape);

/// One operation: its products run one after another as one stream of instructions. Products that
/// share a shape of A share the width of B's tile on a machine that sizes tiles by what they hold.
/// Throws InputError when no tiles fit the global buffer, those of a given mapping do not, or the
/// window is too small.
[[nodiscard]] FabricPlan compile_fabric(const FabricSpec& spec,
                                        const std::vector<FabricInstance>& instances,
                                        FabricMode mode = FabricMode::data);

/// What the mapper looks at for one product.
struct ConsideredMappings {
  std::string unsupported;  // why the machine cannot run the product; all else is then empty
  std::vector<FabricMapping> all;
  FabricMapping chosen;
  FabricShape shape;
  double room = 0;  // bytes of the buffer
};

/// Of a machine without clusters. Throws as compile_fabric() does.
[[nodiscard]] ConsideredMappings considered_mappings(const FabricSpec& spec,
                                                     const FabricInstance& product,
                                                     FabricMode mode = FabricMode::data);

/// The mapping as a machine's file gives it: the mapper then has this one candidate.
[[nodiscard]] FabricMappingChoice as_given(const FabricMapping& mapping, const FabricShape& shape);

/// One product; `operands` must outlive the plan's parts.
[[nodiscard]] FabricPlan compile_fabric(const FabricSpec& spec, const GemmOperands& operands,
                                        FabricMode mode = FabricMode::data);

}  // namespace lacuna
