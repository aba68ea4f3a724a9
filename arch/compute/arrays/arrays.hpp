// SPDX-License-Identifier: Apache-2.0
// MAC arrays, from the nonzeros of their operands.
//
// Inner product (TC, STC, STC-flexible, S2TA, HighLight, DSSO; micro22-sparseloop-artifact@de0374a,
// Fig. 15; Wu et al., HighLight, MICRO'23): k = lanes / d(A) positions of K share `lanes` slots, so
// cycles follow the degree that A runs at, not its nonzeros; a degree of B (S2TA, DSSO) shortens
// each step. Time of an instruction: the largest of its slots, its words through the GLB's port and
// the psums that it writes back through theirs.
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
#include <optional>
#include <vector>

#include "arch/compute/i_unit.hpp"
#include "arch/spec/fabric_spec.hpp"
#include "sparse_formats/csr.hpp"

namespace lacuna {

/// The machine's arrays, for one product, which may run several times. Both must outlive the unit.
[[nodiscard]] std::unique_ptr<IUnit> make_arrays(const FabricSpec& spec,
                                                 const ArrayProduct& product, FabricMode mode,
                                                 bool repeats);

/// The same arrays, whose time is stepped through: the second opinion of element fidelity. They
/// count what the others count.
[[nodiscard]] std::unique_ptr<IUnit> make_stepped_arrays(const FabricSpec& spec,
                                                         const ArrayProduct& product, bool repeats);

/// Cycles that the arrays and the global buffer's port work on a product, from its sums alone (of
/// an outer product: from a sample of its tiles). Exact for inner products.
/// Cycles of a dense product of this shape that the machine would be best at: each tile of A stays
/// for the columns of B, or for as long as the next tile takes to come, if that is longer.
[[nodiscard]] double dense_cycles(const FabricSpec& spec, std::uint64_t m, std::uint64_t n,
                                  std::uint64_t k);

/// Registers beside the multipliers that hold what they work on.
struct OperandRegisters {
  std::uint64_t depth = 1;
  unsigned bits = 8;
  std::uint64_t count = 1;
};
[[nodiscard]] OperandRegisters data_registers(const FabricSpec& spec);
[[nodiscard]] OperandRegisters metadata_registers(const FabricSpec& spec);
/// Of arrays that keep each sum in a register of its multiplier; none: in a memory of the array.
[[nodiscard]] std::optional<OperandRegisters> sum_registers(const FabricSpec& spec);

/// One product value by value, against what the fast model counted. Throws ModelError where they
/// differ. `b_transposed` is N x K. Returns Z, M x N, row-major.
[[nodiscard]] std::vector<double> step_elements(const FabricSpec& spec, const ArrayProduct& product,
                                                const CsrMatrix& a, const CsrMatrix& b_transposed,
                                                const FabricCounts& counts);

[[nodiscard]] double arrays_busy_cycles(const FabricSpec& spec, const ArrayWork& work,
                                        FabricMode mode);

}  // namespace lacuna
