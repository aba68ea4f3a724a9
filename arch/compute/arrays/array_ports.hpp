// SPDX-License-Identifier: Apache-2.0
// What all MAC arrays share: the ports that they work through and the words that pass there.
#pragma once

#include "arch/program/array_program.hpp"
#include "arch/spec/fabric_spec.hpp"

namespace lacuna {

/// Psums that pass the GLB per K step of an output tile of this size, when they do not stay.
[[nodiscard]] double spilled_psums(const FabricSpec& spec, double outputs);

/// Cycles of one psum through the GLB's write port; 0 where nothing limits what is written.
[[nodiscard]] double psum_write_cycles(const FabricSpec& spec);

/// Words of operands that the arrays read in one instruction.
[[nodiscard]] double operand_words(const ArrayProduct& product, const ArrayInstruction& at);

/// Words of outputs that stay in the global buffer, written when the last piece of K is done.
[[nodiscard]] double staying_words(const ArrayProduct& product, const ArrayInstruction& at);

/// Operands read from the global buffer and outputs, over the whole product.
[[nodiscard]] FabricCounts buffer_counts(const ArrayProduct& product);

/// Values of B that are selected by the codes of A's pattern, for each rank of it that leaves zeros
/// out; of counts.mac_slots.
void count_selects(const ArrayProduct& product, FabricCounts& counts);

/// Cycles of the GLB's ports, from the words that pass them.
void bound_ports(const FabricSpec& spec, FabricCounts& counts);

}  // namespace lacuna
