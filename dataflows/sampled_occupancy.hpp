// SPDX-License-Identifier: Apache-2.0
// What z_occupancy.hpp counts, of a sampled product: only places that S has, each from the two
// fibers that meet there.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "arch/program/sampled_tiles.hpp"
#include "dataflows/z_occupancy.hpp"

namespace lacuna {

class SampledOccupancy {
 public:
  /// All outlive this object.
  SampledOccupancy(const CsrMatrix& a, const CsrMatrix& b_transposed, const MicrotileGrid& a_grid,
                   const MicrotileGrid& b_grid, const SampledTiles& samples, PebBudget peb);

  /// For each K2 block its rows in ascending m1: those of A in which S has a microtile that meets
  /// a column of B's tile.
  [[nodiscard]] const std::vector<std::vector<RowOccupancy>>& stripe(
      const StripeGeometry& geometry);
  /// Of the row's microtiles of S within the stripe, in their order: outputs that are complete once
  /// the row's pairs are done. Zero but in the last visit of a Z microtile.
  [[nodiscard]] std::span<const std::uint64_t> complete(Coordinate k2, std::size_t row) const {
    return complete_[k2][row];
  }

 private:
  using Tiles = std::span<const Microtile>;
  struct Visit {
    Coordinate k2;
    Tiles tiles;                       // of A
    std::vector<std::uint32_t> meets;  // columns of S's list with a pair
  };
  void block_row(const StripeGeometry& geometry, Coordinate m1);
  void count_products(const StripeGeometry& geometry, Coordinate m1, Tiles columns);
  /// Whether B has the column within the K2 block, and whether it meets these microtiles of A.
  [[nodiscard]] std::pair<bool, bool> meeting(Coordinate n1, Coordinate k2, Tiles tiles,
                                              const StripeGeometry& geometry) const;
  [[nodiscard]] std::uint64_t excess(const Microtile& s, std::uint64_t nonzeros, Tiles tiles) const;

  const CsrMatrix& a_;
  const CsrMatrix& b_transposed_;
  const MicrotileGrid& a_grid_;
  const MicrotileGrid& b_grid_;
  const SampledTiles& samples_;
  PebBudget peb_;
  std::vector<std::vector<RowOccupancy>> rows_;
  std::vector<std::vector<std::vector<std::uint64_t>>> complete_;  // like rows_
  // The row block at hand.
  std::vector<std::uint64_t> multiplies_;                       // by K2 block
  std::vector<std::pair<Coordinate, std::uint32_t>> first_in_;  // K2 block and column of an output
};

}  // namespace lacuna
