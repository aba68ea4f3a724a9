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
// tiles by what is certain before the run: A as its pattern stores it, B as if dense. A machine
// with another tiling strategy sizes them by what they hold; then a tile may be larger than its
// room.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "arch/spec/fabric_spec.hpp"
#include "dataflows/fabric_tiling.hpp"

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
  /// Bytes of the buffer that one tile of B, one group of A's rows may take; 0: as many as it has.
  double b_room = 0, a_room = 0;
  double tiling_work_bytes = 0;  // touched to find tile_columns
};

/// What a product asks of the machine whatever its mapping. All zero: only traffic decides.
struct FabricDemand {
  double compute_cycles = 0;
  double a_words = 0, b_words = 0;  // of one reading of A, of B, by the arrays
  double port_words = 1;            // per cycle, of the global buffer
  double dram_bytes = 1;            // per cycle
};

/// Bytes that decide residency: of one row of A as stored, of one column of B when dense.
struct FabricSizes {
  FabricShape shape;
  double a_row_bytes = 0;
  double b_column_bytes = 0;
  double a_density = 1;  // for the released mappings of the machine
  double capacity = 0;   // bytes of the buffer; 0: the machine's data capacity
  FabricDemand demand;
};

[[nodiscard]] FabricMapping choose_mapping(const FabricSpec& spec, const FabricSizes& sizes);

/// Products that share a shape of A, for a machine that sizes tiles by what they hold.
struct FabricHoldings {
  std::uint64_t m = 0;
  std::vector<std::uint64_t> n;  // of each product
  std::vector<FabricDemand> demand;
  double capacity = 0;  // bytes of the buffer, data and metadata
  /// Bytes as stored of the groups of `rows` rows of A, K whole.
  std::function<std::vector<double>(std::uint64_t rows)> a_groups;
  /// Of the groups of `columns` columns of each product's B; as many products as `n`.
  std::function<std::vector<ColumnGroups>(std::uint64_t columns)> b_groups;
};

/// One mapping for all of them, its tile_columns the widest; for_product() fits it to one.
[[nodiscard]] FabricMapping choose_tiled_mapping(const FabricSpec& spec,
                                                 const FabricHoldings& holdings);
[[nodiscard]] FabricMapping for_product(FabricMapping mapping, FabricShape shape);

/// What stays of a tile of `bytes` in `room` bytes while it is walked again: all of it when it fits
/// or there is no limit, otherwise room - f of Tailors and nothing of a buffet.
[[nodiscard]] double resident_bytes(const FabricSpec& spec, double bytes, double room);

}  // namespace lacuna
