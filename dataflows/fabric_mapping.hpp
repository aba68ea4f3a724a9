// SPDX-License-Identifier: Apache-2.0
// How a product is cut for a MAC-array machine: what stays in the global buffer, which operand is
// fetched again.
//
// A tile of outputs (rows x columns) stays in the psum RFs for the whole of K: there is no
// reduction above the global buffer (HW:configurations/dataflow/FlexibleGH-Ms-constraints of
// micro22-sparseloop-artifact). Two loop orders:
//   B outer   a tile of B (K x tile_columns) is resident and walked once for each group of A's
//             rows; A is resident whole, or fetched again for each tile of B
//   A outer   a group of rows of A is resident; B is fetched again for each
// The mapper takes the candidate that moves fewest bytes to DRAM, then the widest columns. It sizes
// tiles by what is certain before the run: A as its pattern stores it, B as if dense.
#pragma once

#include <cstdint>

#include "arch/spec/fabric_spec.hpp"

namespace lacuna {

struct FabricShape {
  std::uint64_t m = 0, n = 0, k = 0;
};

struct FabricMapping {
  std::uint64_t rows = 0;          // of one output tile, over all arrays
  std::uint64_t columns = 0;       // likewise
  std::uint64_t tile_columns = 0;  // of B's resident tile: a multiple of columns (B outer)
  bool a_outer = false;
  bool a_whole = false;     // all of A stays
  bool b_resident = false;  // B's tile stays for its walks (B outer)
  std::uint64_t a_fetches = 1, b_fetches = 1;
  std::uint64_t array_rows = 0, array_columns = 0;  // of the tile of one array
};

/// Bytes that decide residency: of one row of A as stored, of one column of B when dense.
struct FabricSizes {
  FabricShape shape;
  double a_row_bytes = 0;
  double b_column_bytes = 0;
  double a_density = 1;  // for the released mappings of the machine
};

[[nodiscard]] FabricMapping choose_mapping(const FabricSpec& spec, const FabricSizes& sizes);

}  // namespace lacuna
