// SPDX-License-Identifier: Apache-2.0
// How wide the resident tile of B is on a MAC-array machine, by what its columns hold as stored.
// Widths count column groups: the columns that pass under one stationary A. Strategies as in
// tiling.hpp (Tailors, strategy table), here along one rank.
#pragma once

#include <cstdint>
#include <vector>

#include "arch/spec/fabric_spec.hpp"

namespace lacuna {

/// One product's B: bytes of each column group, K whole, data and metadata as stored.
struct ColumnGroups {
  std::vector<double> bytes;
  std::uint64_t times = 1;  // products that are alike
};

struct ColumnTile {
  std::uint64_t groups = 0;  // of a tile; 0: not even one fits
  std::vector<double> seen;  // bytes of the tiles that were looked at, for the chosen width
  double work_bytes = 0;     // touched to find the size
};

/// The largest width whose fullest tile holds at most `room` bytes: an exact scan of all products.
[[nodiscard]] ColumnTile prescient_columns(const std::vector<ColumnGroups>& products, double room);

/// w0 = room / mean bytes of a group; k / y tiles of that width that hold something, drawn without
/// replacement from all products; Q their (1 - y) quantile; w = w0 * room / Q, at least one group.
/// (Swiftiles: Tailors via lecture slides 89-91.) `seen` holds the samples scaled to w.
[[nodiscard]] ColumnTile swiftiles_columns(const std::vector<ColumnGroups>& products, double room,
                                           const FabricSpec::Tiling& tiling);

/// Bytes of all tiles of `groups` column groups, product after product, each once.
[[nodiscard]] std::vector<double> tile_bytes(const std::vector<ColumnGroups>& products,
                                             std::uint64_t groups);

}  // namespace lacuna
