// SPDX-License-Identifier: Apache-2.0
#include "dataflows/z_occupancy.hpp"

#include <algorithm>
#include <utility>

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/units.hpp"

namespace lacuna {
namespace {

/// One row's occupancy and what is known about all of them. Merging into it takes no branches: on
/// real data neither "already there" nor "first here" can be predicted.
struct Row {
  std::uint64_t* bits;
  std::uint32_t first_word;  // index of bits[0]
  std::uint32_t* counts;
  std::uint32_t* touched;
  std::size_t touched_count;
  std::uint32_t* present;
  std::size_t present_count;
  std::uint64_t added;
};

[[gnu::always_inline]] inline void merge_pieces(Row& target, const ZOccupancy::Piece* piece,
                                                const ZOccupancy::Piece* end) {
  Row row = target;  // nothing points to it, so it stays in registers
  for (; piece != end; ++piece) {
    const std::uint64_t there = row.bits[piece->word];
    row.bits[piece->word] = there | piece->columns;
    row.touched[row.touched_count] = row.first_word + piece->word;
    row.touched_count += there == 0 ? 1 : 0;
    const auto fresh = static_cast<std::uint32_t>(__builtin_popcountll(piece->columns & ~there));
    const std::uint32_t count = row.counts[piece->n1];
    row.present[row.present_count] = piece->n1;
    row.present_count += count == 0 ? 1 : 0;
    row.counts[piece->n1] = count + fresh;
    row.added += fresh;
  }
  target = row;
}

using Merge = void (*)(Row&, const ZOccupancy::Piece*, const ZOccupancy::Piece*);
void merge_portable(Row& row, const ZOccupancy::Piece* begin, const ZOccupancy::Piece* end) {
  merge_pieces(row, begin, end);
}
#if defined(__x86_64__)
[[gnu::target("popcnt")]] void merge_popcnt(Row& row, const ZOccupancy::Piece* begin,
                                            const ZOccupancy::Piece* end) {
  merge_pieces(row, begin, end);
}
Merge best_merge() {
  return __builtin_cpu_supports("popcnt") ? merge_popcnt : merge_portable;
}
#else
Merge best_merge() {
  return merge_portable;
}
#endif

}  // namespace

ZOccupancy::ZOccupancy(const CsrMatrix& a, const CsrMatrix& b_transposed,
                       const MicrotileGrid& a_grid, const MicrotileGrid& b_grid, PebBudget peb)
    : a_(a),
      b_transposed_(b_transposed),
      a_grid_(a_grid),
      b_grid_(b_grid),
      peb_(peb),
      width_(b_grid.shape().outer),
      words_per_block_(static_cast<std::uint32_t>(ceil_div(b_grid.shape().outer, 64))),
      slot_of_k_(a.cols, 0),
      active_k1_(b_grid.inner_blocks(), 0) {
  LACUNA_CHECK(a.cols == b_transposed.cols, "A has {} columns, B {} rows", a.cols,
               b_transposed.cols);
  for (const Microtile& tile : b_grid.all()) {
    largest_b_payload_ = std::max<std::uint64_t>(largest_b_payload_, tile.padded_payload);
  }
}

const std::vector<std::vector<RowOccupancy>>& ZOccupancy::stripe(const StripeGeometry& geometry) {
  const auto k2_blocks = ceil_div(a_grid_.inner_blocks(), geometry.k1_per_tile);
  rows_.resize(static_cast<std::size_t>(k2_blocks));
  for (auto& rows : rows_) rows.clear();
  slice_b(geometry);
  const std::size_t columns = geometry.n1_last - geometry.n1_first;
  words_per_row_ = columns * words_per_block_;
  bits_.resize(words_per_row_ * a_grid_.shape().outer);
  LACUNA_CHECK(bits_.size() < ~0U, "a row block of Z with {} x 64 places", bits_.size());
  touched_words_.resize(bits_.size() + 1);
  counts_.resize(columns);
  present_.resize(columns + 1);
  for (Coordinate m1 = 0; m1 < a_grid_.outer_blocks(); ++m1) {
    stop_if_requested();
    block_row(geometry, m1);
  }
  return rows_;
}

void ZOccupancy::slice_b(const StripeGeometry& geometry) {
  for (const Coordinate k : active_k_) slot_of_k_[k] = 0;
  active_k_.clear();
  std::fill(active_k1_.begin(), active_k1_.end(), 0);
  const Coordinate width = b_grid_.shape().outer;
  const Coordinate first = geometry.n1_first * width;
  const auto last = static_cast<Coordinate>(
      std::min<std::uint64_t>(b_transposed_.rows, std::uint64_t{geometry.n1_last} * width));
  // Counting sort of the stripe's nonzeros by k; columns come out ascending within each k, and
  // those that share a word are one piece.
  segment_ends_.clear();
  segment_nonzeros_.clear();
  last_word_.clear();
  for (Coordinate n = first; n < last; ++n) {
    const std::uint32_t word = word_of(n - first);
    for (const Coordinate k : b_transposed_.cols_of(n)) {
      if (slot_of_k_[k] == 0) {
        active_k_.push_back(k);
        segment_ends_.push_back(0);
        segment_nonzeros_.push_back(0);
        last_word_.push_back(~0U);
        slot_of_k_[k] = static_cast<std::uint32_t>(active_k_.size());
        active_k1_[k / b_grid_.shape().inner] = 1;
      }
      const std::size_t slot = slot_of_k_[k] - 1;
      ++segment_nonzeros_[slot];
      if (std::exchange(last_word_[slot], word) != word) ++segment_ends_[slot];
    }
  }
  std::uint64_t sum = 0;
  for (auto& end : segment_ends_) {
    const std::uint64_t length = end;
    end = sum;
    sum += length;
  }
  pieces_.resize(static_cast<std::size_t>(sum));
  std::fill(last_word_.begin(), last_word_.end(), ~0U);
  for (Coordinate n = first; n < last; ++n) {
    const std::uint32_t word = word_of(n - first);
    const std::uint64_t column = std::uint64_t{1} << ((n - first) % width_ % 64);
    for (const Coordinate k : b_transposed_.cols_of(n)) {
      const std::size_t slot = slot_of_k_[k] - 1;
      if (std::exchange(last_word_[slot], word) != word) {
        pieces_[segment_ends_[slot]++] = {word, (n - first) / width_, 0};
      }
      pieces_[segment_ends_[slot] - 1].columns |= column;
    }
  }
}

void ZOccupancy::block_row(const StripeGeometry& geometry, Coordinate m1) {
  const auto tiles = a_grid_.list(m1);
  if (tiles.empty()) return;
  const bool relevant = std::any_of(tiles.begin(), tiles.end(), [&](const Microtile& tile) {
    return active_k1_[tile.inner_block] != 0;
  });
  if (relevant) {
    const Coordinate first = m1 * a_grid_.shape().outer;
    const Coordinate rows = std::min(a_.rows - first, a_grid_.shape().outer);
    position_.assign(a_.offsets.begin() + first, a_.offsets.begin() + first + rows);
  }
  for (std::size_t begin = 0; begin < tiles.size();) {
    const Coordinate k2 = tiles[begin].inner_block / geometry.k1_per_tile;
    std::size_t end = begin + 1;
    while (end < tiles.size() && tiles[end].inner_block / geometry.k1_per_tile == k2) ++end;
    RowOccupancy row;
    row.m1 = m1;
    if (relevant) {
      const std::uint64_t k_end = std::min<std::uint64_t>(
          a_.cols, (std::uint64_t{k2} + 1) * geometry.k1_per_tile * a_grid_.shape().inner);
      tile_row(geometry, m1, static_cast<Coordinate>(k_end), tiles.subspan(begin, end - begin),
               row);
    }
    rows_[k2].push_back(row);
    begin = end;
  }
  for (std::size_t i = 0; i < touched_count_; ++i) bits_[touched_words_[i]] = 0;
  touched_count_ = 0;
  for (std::size_t i = 0; i < present_count_; ++i) counts_[present_[i]] = 0;
  present_count_ = 0;
}

void ZOccupancy::tile_row(const StripeGeometry& geometry, Coordinate m1, Coordinate k_end,
                          std::span<const Microtile> tiles, RowOccupancy& row) {
  count_returning(geometry, tiles, row);
  static const Merge merge = best_merge();
  const Coordinate first = m1 * a_grid_.shape().outer;
  Row z{nullptr,        0, counts_.data(), touched_words_.data(), touched_count_, present_.data(),
        present_count_, 0};
  for (std::size_t r = 0; r < position_.size(); ++r) {
    const std::uint64_t row_end = a_.offsets[std::size_t{first} + r + 1];
    z.first_word = static_cast<std::uint32_t>(r * words_per_row_);
    z.bits = bits_.data() + z.first_word;
    for (; position_[r] < row_end && a_.columns[position_[r]] < k_end; ++position_[r]) {
      const std::uint32_t slot = slot_of_k_[a_.columns[position_[r]]];
      if (slot == 0) continue;
      const std::uint64_t from = slot == 1 ? 0 : segment_ends_[slot - 2];
      row.multiplies += segment_nonzeros_[slot - 1];
      merge(z, pieces_.data() + from, pieces_.data() + segment_ends_[slot - 1]);
    }
  }
  touched_count_ = z.touched_count;
  present_count_ = z.present_count;
  row.added += z.added;
  // What a PE buffer must hold of Z, beside the largest microtiles of A and B that meet it.
  std::uint64_t a_payload = 0;
  for (const Microtile& tile : tiles)
    a_payload = std::max<std::uint64_t>(a_payload, tile.padded_payload);
  for (std::size_t i = 0; i < present_count_; ++i) {
    const std::uint32_t n1 = present_[i];
    const std::uint64_t z_bytes = counts_[n1] * peb_.z_nonzero_bytes;
    if (z_bytes + a_payload + largest_b_payload_ <= peb_.capacity) continue;  // the common case
    if (!meets(geometry.n1_first + n1, tiles)) continue;
    std::uint64_t b_payload = 0;
    for (const Microtile& tile : b_grid_.list(geometry.n1_first + n1, tiles.front().inner_block,
                                              tiles.back().inner_block + 1)) {
      b_payload = std::max<std::uint64_t>(b_payload, tile.padded_payload);
    }
    const std::uint64_t operands = std::min(peb_.capacity, a_payload + b_payload);
    const std::uint64_t room = peb_.capacity - operands;
    if (z_bytes > room) row.peb_excess += z_bytes - room;
  }
}

void ZOccupancy::count_returning(const StripeGeometry& geometry, std::span<const Microtile> tiles,
                                 RowOccupancy& row) {
  for (std::size_t i = 0; i < present_count_; ++i) {
    const std::uint32_t n1 = present_[i];
    if (meets(geometry.n1_first + n1, tiles)) row.before += counts_[n1];
  }
}

bool ZOccupancy::meets(Coordinate n1, std::span<const Microtile> tiles) const {
  const auto column = b_grid_.list(n1, tiles.front().inner_block, tiles.back().inner_block + 1);
  std::size_t i = 0;
  for (const Microtile& tile : column) {
    while (i < tiles.size() && tiles[i].inner_block < tile.inner_block) ++i;
    if (i == tiles.size()) return false;
    if (tiles[i].inner_block == tile.inner_block) return true;
  }
  return false;
}

}  // namespace lacuna
