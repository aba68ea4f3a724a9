// SPDX-License-Identifier: Apache-2.0
#include "arch/compute/sampled_pairs.hpp"

#include <array>

#include "arch/intersect/list_intersect.hpp"

namespace lacuna {

SampledPairs::SampledPairs(const TileProgram& program, IntersectKind kind)
    : program_(program),
      kind_(kind),
      a_(program.a().inner_blocks()),
      b_(program.b().inner_blocks()),
      s_(program.samples()->grid().inner_blocks()) {}

void SampledPairs::begin_tile(const StationaryTile& tile) {
  b_.resize(tile.ends.size());
  for (const ColumnList& column : tile.columns) {
    b_.expand(program_.b_matrix_transposed(), program_.b().shape(), column.n1, column.tiles,
              column.first_offset);
  }
}

void SampledPairs::begin_row(const RowInstruction& row) {
  a_.resize(row.tiles.size());
  a_.expand(program_.a_matrix(), program_.a().shape(), row.m1, row.tiles, 0);
  const SampledTiles& samples = *program_.samples();
  s_.resize(row.s_tiles.size());
  s_.expand(samples.places(), samples.grid().shape(), row.m1, row.s_tiles, 0);
}

SampledWork SampledPairs::count(std::size_t a_index, std::size_t b_index,
                                std::size_t s_index) const {
  const auto b = b_[b_index];
  std::array<std::uint8_t, kMaxFiber> fiber_of{};  // of B, by its column
  Mask128 columns;
  for (std::size_t i = 0; i < b.size(); ++i) {
    columns.insert(b[i].outer);
    fiber_of[b[i].outer] = static_cast<std::uint8_t>(i);
  }
  SampledWork work;
  SortedIntersect<MicrotileFiber, MicrotileFiber> rows(kind_, s_[s_index], a_[a_index]);
  while (rows.next()) {
    ++work.rows;
    const Mask128& places = rows.a().mask;
    work.place_tries += intersect_tries(kind_, places, columns);
    for (Mask128 left{places.low & columns.low, places.high & columns.high}; !left.empty();) {
      const unsigned n = left.first();
      (n < 64 ? left.low : left.high) &= ~(std::uint64_t{1} << (n & 63U));
      ++work.places;
      work.tries += intersect_tries(kind_, rows.b().mask, b[fiber_of[n]].mask);
    }
  }
  work.place_tries += rows.tries();
  return work;
}

}  // namespace lacuna
