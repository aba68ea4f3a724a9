// SPDX-License-Identifier: Apache-2.0
#include "dataflows/sampled_occupancy.hpp"

#include <algorithm>

#include "base/interrupt.hpp"
#include "base/units.hpp"

namespace lacuna {

SampledOccupancy::SampledOccupancy(const CsrMatrix& a, const CsrMatrix& b_transposed,
                                   const MicrotileGrid& a_grid, const MicrotileGrid& b_grid,
                                   const SampledTiles& samples, PebBudget peb)
    : a_(a),
      b_transposed_(b_transposed),
      a_grid_(a_grid),
      b_grid_(b_grid),
      samples_(samples),
      peb_(peb) {}

const std::vector<std::vector<RowOccupancy>>& SampledOccupancy::stripe(
    const StripeGeometry& geometry) {
  const auto k2_blocks =
      static_cast<std::size_t>(ceil_div(a_grid_.inner_blocks(), geometry.k1_per_tile));
  rows_.resize(k2_blocks);
  complete_.resize(k2_blocks);
  multiplies_.assign(k2_blocks, 0);
  for (auto& rows : rows_) rows.clear();
  for (auto& rows : complete_) rows.clear();
  for (Coordinate m1 = 0; m1 < a_grid_.outer_blocks(); ++m1) {
    stop_if_requested();
    block_row(geometry, m1);
  }
  return rows_;
}

void SampledOccupancy::block_row(const StripeGeometry& geometry, Coordinate m1) {
  const Tiles tiles = a_grid_.list(m1);
  const Tiles columns = samples_.grid().list(m1, geometry.n1_first, geometry.n1_last);
  if (tiles.empty() || columns.empty()) return;
  count_products(geometry, m1, columns);
  std::vector<Visit> visits;
  std::vector<std::size_t> last(columns.size());
  for (std::size_t begin = 0, end = 0; begin < tiles.size(); begin = end) {
    Visit visit{tiles[begin].inner_block / geometry.k1_per_tile, {}, {}};
    while (end < tiles.size() && tiles[end].inner_block / geometry.k1_per_tile == visit.k2) ++end;
    visit.tiles = tiles.subspan(begin, end - begin);
    bool any = false;
    for (std::uint32_t i = 0; i < columns.size(); ++i) {
      const auto [there, meets] = meeting(columns[i].inner_block, visit.k2, visit.tiles, geometry);
      any = any || there;
      if (!meets) continue;
      visit.meets.push_back(i);
      last[i] = visits.size();
    }
    if (any) visits.push_back(std::move(visit));
  }
  std::vector<std::uint64_t> outputs(columns.size(), 0);
  auto fresh = first_in_.cbegin();
  for (std::size_t v = 0; v < visits.size(); ++v) {
    const Visit& visit = visits[v];
    RowOccupancy& row = rows_[visit.k2].emplace_back();
    row.m1 = m1;
    row.multiplies = std::exchange(multiplies_[visit.k2], 0);
    for (const std::uint32_t i : visit.meets) row.before += outputs[i];
    for (; fresh != first_in_.cend() && fresh->first == visit.k2; ++fresh, ++row.added) {
      ++outputs[fresh->second];
    }
    auto& complete = complete_[visit.k2].emplace_back(columns.size(), 0);
    for (const std::uint32_t i : visit.meets) {
      if (last[i] == v) complete[i] = outputs[i];
      row.peb_excess += excess(columns[i], outputs[i], visit.tiles);
    }
  }
  LACUNA_CHECK(fresh == first_in_.cend(), "outputs of block row {} without a visit", m1);
}

/// The first K2 block of each output, ascending, and the multiplies of each block.
void SampledOccupancy::count_products(const StripeGeometry& geometry, Coordinate m1,
                                      Tiles columns) {
  first_in_.clear();
  const MicrotileShape shape = samples_.grid().shape();
  const std::uint64_t k_per_tile = std::uint64_t{geometry.k1_per_tile} * a_grid_.shape().inner;
  const Coordinate m_first = m1 * shape.outer;
  const Coordinate m_end = m_first + std::min(a_.rows - m_first, shape.outer);
  const std::uint64_t n_end = std::uint64_t{geometry.n1_last} * shape.inner;
  for (Coordinate m = m_first; m < m_end; ++m) {
    const auto of_a = a_.cols_of(m);
    const auto places = samples_.places().cols_of(m);
    std::size_t column = 0;
    for (auto n = std::lower_bound(places.begin(), places.end(), geometry.n1_first * shape.inner);
         n != places.end() && *n < n_end; ++n) {
      while (columns[column].inner_block < *n / shape.inner) ++column;
      const auto of_b = b_transposed_.cols_of(*n);
      bool met = false;
      for (auto i = of_a.begin(), j = of_b.begin(); i != of_a.end() && j != of_b.end();) {
        if (*i < *j) {
          ++i;
        } else if (*j < *i) {
          ++j;
        } else {
          const auto k2 = static_cast<Coordinate>(*i / k_per_tile);
          ++multiplies_[k2];
          if (!std::exchange(met, true))
            first_in_.emplace_back(k2, static_cast<std::uint32_t>(column));
          ++i;
          ++j;
        }
      }
    }
  }
  std::sort(first_in_.begin(), first_in_.end());
}

std::pair<bool, bool> SampledOccupancy::meeting(Coordinate n1, Coordinate k2, Tiles tiles,
                                                const StripeGeometry& geometry) const {
  const auto first = static_cast<Coordinate>(k2 * geometry.k1_per_tile);
  const auto last = static_cast<Coordinate>(
      std::min<std::uint64_t>(b_grid_.inner_blocks(), std::uint64_t{first} + geometry.k1_per_tile));
  const Tiles column = b_grid_.list(n1, first, last);
  std::size_t i = 0;
  for (const Microtile& tile : column) {
    while (i < tiles.size() && tiles[i].inner_block < tile.inner_block) ++i;
    if (i == tiles.size()) break;
    if (tiles[i].inner_block == tile.inner_block) return {true, true};
  }
  return {!column.empty(), false};
}

/// What an element's buffer cannot hold of a Z microtile beside the largest microtiles of A and B
/// that meet it, and that of S.
std::uint64_t SampledOccupancy::excess(const Microtile& s, std::uint64_t nonzeros,
                                       Tiles tiles) const {
  std::uint64_t a = 0, b = 0;
  for (const Microtile& tile : tiles) a = std::max<std::uint64_t>(a, tile.padded_payload);
  for (const Microtile& tile :
       b_grid_.list(s.inner_block, tiles.front().inner_block, tiles.back().inner_block + 1)) {
    b = std::max<std::uint64_t>(b, tile.padded_payload);
  }
  const std::uint64_t of_s = samples_.scales() ? s.padded_payload : SampledTiles::sent_places(s);
  const std::uint64_t room = peb_.capacity - std::min(peb_.capacity, a + b + of_s);
  const std::uint64_t z = nonzeros * peb_.z_nonzero_bytes;
  return z > room ? z - room : 0;
}

}  // namespace lacuna
