// SPDX-License-Identifier: Apache-2.0
// Microtile pairs coordinate by coordinate, values carried: the element fidelity's processing
// element and the source of the functional result in both fidelities.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "arch/buffer/buffet.hpp"
#include "arch/compute/microtile_fibers.hpp"
#include "arch/compute/pe_array.hpp"
#include "arch/intersect/fiber_intersect.hpp"
#include "arch/program/tile_program.hpp"

namespace lacuna {

/// What the elements of a run did, counted as it happened.
struct ElementCounts {
  std::uint64_t tries = 0;
  std::uint64_t multiplies = 0;
  std::uint64_t adds = 0;
  std::uint64_t m0 = 0;         // fibers of A walked
  std::uint64_t n0 = 0;         // fibers of B walked, once per fiber of A
  std::uint64_t peb_fills = 0;  // lines of the PE buffer
  std::uint64_t peb_reads = 0;
  std::uint64_t z_before = 0;  // nonzeros found by visits of Z microtiles
  std::uint64_t z_added = 0;
  // Of a sampled product (arch/compute/sampled_pairs.hpp):
  std::uint64_t place_tries = 0;
  std::uint64_t scaled = 0;  // outputs multiplied by S
};

class ElementPairs {
 public:
  /// `peb_line`: bytes of an access of a PE buffer.
  ElementPairs(const TileProgram& program, IntersectKind kind, Bytes peb_line);

  void begin_tile(const StationaryTile& tile);
  void begin_row(const RowInstruction& row);
  /// Visits of one Z microtile: begin, its pairs, end.
  void begin_z(Coordinate m1, Coordinate n1);
  /// Runs the pair; returns its tries. Indices are positions in the row's and in the tile's lists,
  /// of a sampled product in the row's list of S too. `scaled`: outputs that its element then
  /// multiplies by S.
  std::uint64_t run(std::size_t a_index, std::size_t b_index, std::size_t s_index = 0,
                    std::uint64_t scaled = 0);
  /// `complete`: no later visit adds to the microtile.
  void end_z(bool complete = false);
  /// The work of the last pair, one step per fiber of A: B arrives first, then A fiber by fiber.
  [[nodiscard]] std::span<const PeArray::Step> steps() const { return steps_; }

  [[nodiscard]] const ElementCounts& counts() const { return counts_; }
  /// The product so far.
  [[nodiscard]] CsrMatrix result() const;

 private:
  struct Cell {
    std::uint32_t at;
    double value;
  };
  void intersect(const MicrotileFiber& a, const MicrotileFiber& b, std::size_t cell,
                 Buffet& a_buffer, Buffet& b_buffer, std::uint64_t a_first, std::uint64_t b_first);
  /// All that the fiber of A meets of B, or what it meets at S's places of its row.
  void run_row(const MicrotileFiber& a, std::span<const MicrotileFiber> b,
               const MicrotileFiber* places, Buffet& a_buffer, Buffet& b_buffer,
               std::uint64_t a_first);
  /// Outputs that are complete are multiplied by S.
  void scale(std::vector<Cell>& cells);

  const TileProgram& program_;
  IntersectKind kind_;
  std::uint64_t peb_line_;
  MicrotileShape a_shape_, b_shape_;
  Coordinate stride_;  // of the accumulator: columns of a Z microtile
  MicrotileFibers a_, b_, s_;
  std::vector<std::uint64_t> first_of_b_;  // nonzeros of the microtile before each of its fibers
  std::vector<Coordinate> columns_;        // of S in a row, within the microtile
  ElementCounts counts_;
  std::vector<PeArray::Step> steps_;
  std::vector<double> accumulator_;
  std::vector<char> present_;
  std::vector<std::uint32_t> touched_;
  std::uint64_t z_key_ = 0;
  std::unordered_map<std::uint64_t, std::vector<Cell>> z_;
};

}  // namespace lacuna
