// SPDX-License-Identifier: Apache-2.0
// Pairs of microtiles of a sampled product, counted: an element walks the rows that S and A have
// in common, in each the columns that S and B have in common, and intersects the two fibers that
// meet there. Its one intersection unit does all three.
#pragma once

#include <cstdint>

#include "arch/compute/microtile_fibers.hpp"
#include "arch/intersect/fiber_intersect.hpp"
#include "arch/program/tile_program.hpp"

namespace lacuna {

struct SampledWork {
  std::uint64_t tries = 0;        // K0, of the fibers that meet at S's places
  std::uint64_t place_tries = 0;  // M0 and N0: finding these places
  std::uint64_t rows = 0;         // of A that S has too
  std::uint64_t places = 0;       // of S where both operands have a fiber
};

class SampledPairs {
 public:
  /// Of a program with samples, which outlives this.
  SampledPairs(const TileProgram& program, IntersectKind kind);

  void begin_tile(const StationaryTile& tile);
  void begin_row(const RowInstruction& row);
  /// Indices are positions in the row's list of A, in the tile's and in the row's list of S.
  [[nodiscard]] SampledWork count(std::size_t a_index, std::size_t b_index,
                                  std::size_t s_index) const;

 private:
  const TileProgram& program_;
  IntersectKind kind_;
  MicrotileFibers a_, b_, s_;
};

}  // namespace lacuna
