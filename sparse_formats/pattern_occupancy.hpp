// SPDX-License-Identifier: Apache-2.0
// Real zeros for every pattern: random occupancy that obeys it exactly.
#pragma once

#include <cstdint>
#include <string_view>

#include "sparse_formats/pattern.hpp"
#include "sparse_formats/pattern_bits.hpp"

namespace lacuna {

/// Along which side the reduction index k runs, so where groups and channels lie: along a row
/// (operand A, M x K) or along a column (operand B, K x N).
enum class Axis { along_row, along_column };

struct OccupancyOptions {
  Axis axis = Axis::along_row;
  /// Names the random stream: two operands of one product need different names, or their zeros
  /// would coincide.
  std::string_view stream = "occupancy";
};

/// A function of (pattern, rows, cols, seed, options) alone. Which positions are chosen is
/// uniformly random; how many is exact:
/// - uniform: share_of(share, rows * cols) of all positions, every such set equally likely
///   (hypergeometric per tile, as in Sparseloop's density model);
/// - hss: at every rank each group holds exactly G of H. A group at the end of a fiber that has
///   fewer than H children holds min(G, children): what is legal once K is padded with zeros;
/// - block: share_of(share, blocks) blocks filled; blocks at the edges are partial but count as
/// one.
///   The grid lies on the matrix as given, whatever the axis;
/// - channel: share_of(share, K) of the k coordinates filled.
/// Throws InputError when the matrix is too large (BitMatrix).
[[nodiscard]] BitMatrix make_occupancy(const Pattern& pattern, std::uint64_t rows,
                                       std::uint64_t cols, std::uint64_t seed,
                                       const OccupancyOptions& options = {});

}  // namespace lacuna
