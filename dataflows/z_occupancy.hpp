// SPDX-License-Identifier: Apache-2.0
// How many output nonzeros a pass finds and leaves: a symbolic product, one column stripe of Z at a
// time, so memory is that of one stripe's row block and never of Z.
#pragma once

#include <cstdint>
#include <vector>

#include "sparse_formats/microtiles.hpp"

namespace lacuna {

/// One row of A microtiles (m1) within one K2 block, against one stripe n2 of B. Counts are
/// nonzeros of Z microtiles that have at least one K1 match in this pass.
struct RowOccupancy {
  Coordinate m1 = 0;
  std::uint64_t before = 0;      // there before the pass: they return as partial outputs
  std::uint64_t added = 0;       // new in this pass
  std::uint64_t multiplies = 0;  // effectual
  std::uint64_t peb_excess = 0;  // bytes beyond what a PE buffer leaves for a Z microtile, summed
};

struct StripeGeometry {
  Coordinate n1_first = 0, n1_last = 0;  // microtile columns
  Coordinate k1_per_tile = 1;            // K2 block length in microtiles
};

/// What a Z microtile may take of a PE buffer; see RowOccupancy::peb_excess.
struct PebBudget {
  std::uint64_t capacity = ~std::uint64_t{0};
  std::uint64_t z_nonzero_bytes = 16;
};

class ZOccupancy {
 public:
  /// Columns of one row of B, within the stripe, that share a word of a row's occupancy bits.
  struct Piece {
    std::uint32_t word;
    std::uint32_t n1;  // relative to the stripe
    std::uint64_t columns;
  };

  /// a: M x K; b: K x N with its transpose; the grids are of these matrices and outlive this
  /// object.
  ZOccupancy(const CsrMatrix& a, const CsrMatrix& b_transposed, const MicrotileGrid& a_grid,
             const MicrotileGrid& b_grid, PebBudget peb);

  /// For each K2 block, its rows in ascending m1: every nonempty (m1, k2) of A, whether or not
  /// anything of it meets the stripe.
  [[nodiscard]] const std::vector<std::vector<RowOccupancy>>& stripe(
      const StripeGeometry& geometry);

 private:
  void slice_b(const StripeGeometry& geometry);
  void block_row(const StripeGeometry& geometry, Coordinate m1);
  void tile_row(const StripeGeometry& geometry, Coordinate m1, Coordinate k_end,
                std::span<const Microtile> tiles, RowOccupancy& row);
  void count_returning(const StripeGeometry& geometry, std::span<const Microtile> tiles,
                       RowOccupancy& row);
  [[nodiscard]] bool meets(Coordinate n1, std::span<const Microtile> tiles) const;
  [[nodiscard]] std::uint32_t word_of(Coordinate column) const {
    return column / width_ * words_per_block_ + column % width_ / 64;
  }

  const CsrMatrix& a_;
  const CsrMatrix& b_transposed_;
  const MicrotileGrid& a_grid_;
  const MicrotileGrid& b_grid_;
  PebBudget peb_;
  std::uint64_t largest_b_payload_ = 0;

  // B's rows within the stripe, in pieces. Each microtile column has words of its own.
  Coordinate width_;
  std::uint32_t words_per_block_;
  std::vector<std::uint32_t> slot_of_k_;  // k -> 1 + index into segments, 0 when empty
  std::vector<Coordinate> active_k_;
  std::vector<std::uint64_t> segment_ends_;
  std::vector<std::uint32_t> segment_nonzeros_;
  std::vector<std::uint32_t> last_word_;  // of each segment while it is built
  std::vector<Piece> pieces_;
  std::vector<char> active_k1_;

  // The row block at hand.
  std::vector<std::uint64_t> position_;  // next nonzero of each row of A
  std::vector<std::uint64_t> bits_;      // occupancy, rows x stripe words
  std::vector<std::uint32_t> counts_;    // nonzeros per n1
  // Words that are not zero and n1 with nonzeros, in the order of appearance; one place to spare.
  std::vector<std::uint32_t> touched_words_, present_;
  std::size_t touched_count_ = 0, present_count_ = 0;
  std::size_t words_per_row_ = 0;
  std::vector<std::vector<RowOccupancy>> rows_;
};

}  // namespace lacuna
