// SPDX-License-Identifier: Apache-2.0
#include "dataflows/array_tiles.hpp"

#include <algorithm>

#include "base/units.hpp"

namespace lacuna {
namespace {

/// Of arrays whose registers take tiles of certain shapes.
std::vector<ArrayTile> given_tiles(const FabricSpec& spec, const FabricMappingChoice* given) {
  const std::uint64_t rows = given != nullptr ? given->tile_rows : 0;
  const std::uint64_t columns = given != nullptr ? given->tile_columns : 0;
  if (rows > 0 && columns > 0) return {{rows, columns}};
  std::vector<ArrayTile> tiles;
  for (const auto& [r, c] : spec.arrays.tiles) {
    if ((rows == 0 || rows == r) && (columns == 0 || columns == c)) tiles.push_back({r, c});
  }
  if (!tiles.empty()) return tiles;
  // The other edge as the registers have room for it.
  if (rows > 0) return {{rows, std::max<std::uint64_t>(1, spec.arrays.rf_words / rows)}};
  return {{std::max<std::uint64_t>(1, spec.arrays.rf_words / columns), columns}};
}

}  // namespace

std::vector<std::uint64_t> distinct_widths(std::uint64_t count) {
  std::vector<std::uint64_t> widths;
  for (std::uint64_t width = count; width > 0;) {
    widths.push_back(width);
    if (width == 1) break;
    width = ceil_div(count, ceil_div(count, width - 1));
  }
  return widths;
}

std::vector<ArrayTile> array_tiles(const FabricSpec& spec, const FabricMappingChoice* given,
                                   std::uint64_t n, std::uint64_t least) {
  const auto& arrays = spec.arrays;
  if (!arrays.tiles.empty()) return given_tiles(spec, given);
  const std::uint64_t rows =
      given != nullptr && given->tile_rows > 0 ? given->tile_rows : arrays.rows;
  if (given != nullptr && given->tile_columns > 0) return {{rows, given->tile_columns}};
  const std::uint64_t most = std::min(arrays.columns, ceil_div(n, arrays.across_n));
  if (arrays.whole_columns) return {{rows, ceil_div(n, arrays.across_n)}};
  std::vector<ArrayTile> tiles;
  std::uint64_t halved = most;
  for (std::uint64_t columns = most; columns > 0; --columns) {
    if (columns < least && columns < most) break;
    const std::uint64_t groups = ceil_div(n, columns * arrays.across_n);
    const bool narrowest = columns == 1 || ceil_div(n, (columns - 1) * arrays.across_n) > groups;
    const bool half = columns == halved;
    if (half) halved /= 2;
    // Not all of the wide ones: an estimate costs a microsecond, a machine has thousands.
    const bool taken = columns <= 32 || columns % 4 == 0;
    if (half || (narrowest && taken)) tiles.push_back({rows, columns});
  }
  return tiles;
}

}  // namespace lacuna
