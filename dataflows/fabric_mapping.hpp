// SPDX-License-Identifier: Apache-2.0
// How a product is cut for a MAC-array machine: what stays in the global buffer, which operand is
// fetched again.
//
// A tile of outputs (rows x columns) stays in the psum RFs for the whole of K: there is no
// reduction above the global buffer (HW:configurations/dataflow/FlexibleGH-Ms-constraints of
// micro22-sparseloop-artifact). Loop orders:
//   B outer   a tile of B (K x tile_columns) is resident and walked once for each group of A's
//             rows; A is resident whole, or fetched again for each tile of B
//   A outer   a tile of A (tile_rows x K) is resident and walked once for each group of B's
//             columns; B is fetched again for each tile of A
//   streamed  nothing stays: both are fetched again for every tile of outputs
// Every width that makes a different number of tiles is a candidate, as long as what it holds fits
// the buffer: a tile that stays, a group of the other operand that is walked more than once, two
// instructions' worth of what only passes (one in use, one arriving).
//
// Among the candidates whose estimated cycles lie within 3 % of the fewest, and of these whose
// busiest block is the least busy, the mapper takes the one that moves least (bytes from DRAM, with
// a small weight on bytes through the buffer's port), then the fastest, then the widest columns. A
// product whose operand has a sparser pattern of the machine's menu takes no more than it would
// with a denser one (FabricHoldings::denser).
//
// How tiles of B are sized is the machine's tiling strategy: dense-shape as if every position were
// a nonzero, so that it is certain before the run that they fit; otherwise by what they hold, and
// then a tile may be larger than its room.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "arch/cost/i_cost_model.hpp"
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
  std::uint64_t tile_rows = 0;     // of A's resident tile: a multiple of rows (A outer)
  bool a_outer = false;
  bool a_whole = false;     // all of A stays
  bool b_resident = false;  // B's tile stays for its walks (B outer)
  std::uint64_t a_fetches = 1, b_fetches = 1;
  std::uint64_t array_rows = 0, array_columns = 0;  // of the tile of one array
  /// Bytes of the buffer that one tile of B, one group of A's rows may take; 0: as many as it has.
  double b_room = 0, a_room = 0;
  /// Instructions' worth of a passing operand that its share holds: one in use, one arriving.
  std::uint64_t passing = 2;
  double tiling_work_bytes = 0;   // touched to find tile_columns
  double a_need = 0, b_need = 0;  // bytes of the buffer that each operand takes at least
  Estimate estimate;              // the machine's answer, of all products
  double bytes = 0;               // from DRAM
  double moved = 0;               // with those through the buffer's port at their weight
  bool fits = true;               // the buffer holds what it needs
};

/// Bytes of the buffer for both operands, and at most for each.
struct FabricRoom {
  double all = 0, a = 0, b = 0;
};

/// Instructions of one product at most; more take too long.
inline constexpr double kMostInstructions = 5e7;

/// Most bytes of each operand that one instruction takes, and the pieces that K is cut into.
struct FabricChunk {
  double a = 0, b = 0;
  std::uint64_t pieces = 1;
};

/// One product, or several that are alike.
struct FabricLoad {
  std::uint64_t n = 0, times = 1;
  /// Words as stored of the columns before each, K whole: n + 1 sums.
  std::function<const std::vector<double>&(const FabricMapping&)> b_sums;
  double b_bytes = 1;  // of such a word that DRAM is asked for
  /// What the units have to do, as cut by a mapping.
  std::function<ArrayWork(const FabricMapping&)> work;
  double a_port_bytes = 0, b_port_bytes = 0;  // of one reading by the arrays
  double z_words = 0;                         // of the outputs, to memory
};

/// Products that share a shape of A and a mapping.
struct FabricHoldings {
  std::uint64_t m = 0;
  FabricRoom room;
  std::vector<FabricLoad> products;
  /// Bytes as stored of the groups of mapping.rows rows of A, K whole.
  std::function<std::vector<double>(const FabricMapping&)> a_groups;
  std::function<FabricChunk(const FabricMapping&)> chunk;
  /// The most that a column of B can take as stored; empty: tiles are sized by what they hold.
  std::function<double(const FabricMapping&)> b_column_most;
  /// What denser operands of the machine's menu take with the mappings chosen for them, the nearest
  /// first: a sparser one takes no more, of time, bytes and movement, where that is possible
  /// without being much slower than it could be.
  std::vector<FabricMapping> denser;
  /// What the machine's file says about this product; null: nothing.
  const FabricMappingChoice* given = nullptr;
  /// Gets every candidate, those too that do not fit; then none is taken before all are looked at.
  std::vector<FabricMapping>* considered = nullptr;
};

/// The mapping, or why none fits, with the bytes that the smallest needs.
struct FabricChoice {
  std::optional<FabricMapping> mapping;
  bool ideal = false;               // each operand once, and as fast as arrays, port and DRAM allow
  double least_a = 0, least_b = 0;  // of the candidate that needs least; when none fits
};

/// `machine` tells what a candidate would cost.
[[nodiscard]] FabricChoice choose_mapping(const FabricSpec& spec, const ICostModel& machine,
                                          const FabricHoldings& holdings);

/// Fits the mapping of several products to one of them.
[[nodiscard]] FabricMapping for_product(FabricMapping mapping, FabricShape shape);

}  // namespace lacuna
