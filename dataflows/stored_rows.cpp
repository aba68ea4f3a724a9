// SPDX-License-Identifier: Apache-2.0
#include "dataflows/stored_rows.hpp"

#include <algorithm>

#include "arch/program/stored_bytes.hpp"

namespace lacuna {
namespace {

/// Joins it to the last one from `first` on where the two touch.
void append(std::vector<Segment>& segments, std::size_t first, const Segment& next) {
  if (next.bytes() == 0) return;
  if (segments.size() > first) {
    Segment& last = segments.back();
    if (last.address + last.bytes() == next.address) {
      last.data_bytes += next.data_bytes;
      last.metadata_bytes += next.metadata_bytes;
      return;
    }
  }
  segments.push_back(next);
}

}  // namespace

StoredRows::StoredRows(const MicrotileGrid& grid, const FormatSpec& formats, Bytes burst)
    : grid_(grid),
      format_(formats.a),
      whole_list_(formats.a_tuples_of_whole_list),
      burst_(burst),
      at_(grid.outer_blocks()) {
  std::uint64_t offset = 0;
  for (Coordinate m1 = 0; m1 < grid.outer_blocks(); ++m1) {
    row_.push_back(offset);
    const auto tiles = grid.list(m1);
    offset += list_bytes(tiles.size());
    for (const Microtile& tile : tiles) offset += stored_bytes(tile, format_, burst_);
  }
}

void StoredRows::rewind() {
  std::fill(at_.begin(), at_.end(), Cursor{});
}

std::uint64_t StoredRows::load(Coordinate m1, std::span<const Microtile> tiles,
                               const std::vector<char>& takes_part,
                               std::vector<Segment>& segments) {
  if (tiles.empty()) return 0;
  const auto row = grid_.list(m1);
  const auto begin = static_cast<std::uint64_t>(tiles.data() - row.data());
  const std::size_t first = segments.size();
  Cursor& at = at_[m1];
  LACUNA_CHECK(at.tile <= begin, "microtile {} of row {} after microtile {}", begin, m1, at.tile);
  for (; at.tile < begin; ++at.tile) at.offset += stored_bytes(row[at.tile], format_, burst_);
  std::uint64_t bytes = list_bytes(tiles.size());
  append(segments, first, {Tensor::a, row_[m1] + list_bytes(begin), 0, bytes});
  const std::uint64_t stored = row_[m1] + list_bytes(row.size());
  for (const Microtile& tile : tiles) {
    const std::uint64_t of_tile = stored_bytes(tile, format_, burst_);
    if (takes_part[tile.inner_block] != 0) {
      const std::uint64_t values = std::min(of_tile, value_bytes(tile));
      append(segments, first, {Tensor::a, stored + at.offset, values, of_tile - values});
      bytes += of_tile;
    }
    at.offset += of_tile;
  }
  at.tile += tiles.size();
  return bytes;
}

}  // namespace lacuna
