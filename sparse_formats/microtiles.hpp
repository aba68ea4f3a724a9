// SPDX-License-Identifier: Apache-2.0
// A matrix cut into microtiles: the unit that a processing element works on. A microtile holds
// fibers along the contracted rank K; a fiber is a set of at most 128 coordinates, so it is one
// 128-bit mask and two fibers meet in a few instructions.
//
// For A[m,k] the fibers of a microtile are its rows m0 over k0; for B[k,n] its columns n0 over k0.
// Both are "outer rank x contracted rank", so one grid serves both: outer = m or n, inner = k.
#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <vector>

#include "sparse_formats/csr.hpp"

namespace lacuna {

/// A set of coordinates 0..127.
struct Mask128 {
  std::uint64_t low = 0;
  std::uint64_t high = 0;

  constexpr void insert(unsigned at) { (at < 64 ? low : high) |= std::uint64_t{1} << (at & 63U); }
  [[nodiscard]] constexpr bool contains(unsigned at) const {
    return (((at < 64 ? low : high) >> (at & 63U)) & 1U) != 0;
  }
  [[nodiscard]] constexpr bool empty() const { return (low | high) == 0; }
  [[nodiscard]] constexpr unsigned count() const {
    return static_cast<unsigned>(std::popcount(low) + std::popcount(high));
  }
  /// Smallest and largest member; the set must not be empty.
  [[nodiscard]] constexpr unsigned first() const {
    return static_cast<unsigned>(low != 0 ? std::countr_zero(low) : 64 + std::countr_zero(high));
  }
  [[nodiscard]] constexpr unsigned last() const {
    return static_cast<unsigned>(high != 0 ? 127 - std::countl_zero(high)
                                           : 63 - std::countl_zero(low));
  }
  friend constexpr auto operator<=>(const Mask128&, const Mask128&) = default;
};

inline constexpr unsigned kMaxFiber = 128;

/// Fibers of one microtile that share a mask; `times` of them. Masks with two or more members.
struct MaskGroup {
  Mask128 mask;
  std::uint32_t times;
  std::uint8_t first;
  std::uint8_t last;
};

/// Fibers of one microtile that hold the single coordinate `at`; `times` of them.
struct SingleGroup {
  std::uint16_t at;
  std::uint16_t times;
};

/// Edge lengths of a microtile in coordinates; inner is along K and at most kMaxFiber.
struct MicrotileShape {
  Coordinate outer = 128;
  Coordinate inner = 128;
};

struct Microtile {
  Coordinate inner_block = 0;       // k1, the coordinate in its list
  std::uint32_t nnz = 0;            // z
  std::uint16_t outer_fibers = 0;   // nonempty fibers over K (rows m0 of A, columns n0 of B)
  std::uint16_t inner_fibers = 0;   // nonempty fibers across K (columns of A, rows of B)
  std::uint16_t groups = 0;         // MaskGroups (two or more coordinates)
  std::uint16_t singles = 0;        // SingleGroups
  std::uint16_t single_fibers = 0;  // fibers over K with one coordinate
  std::uint8_t single_planes = 0;   // see MicrotileGrid
  std::uint8_t cover_planes = 0;
  std::uint32_t group_begin = 0;
  std::uint32_t single_begin = 0;
  std::uint32_t plane_begin = 0;
  std::uint32_t padded_payload = 0;  // bytes, see MicrotileGrid
};

/// All nonempty microtiles of a matrix, listed by outer block, ascending in the inner block.
///
/// padded_payload is what crosses from the last-level buffer to a processing element: coordinate
/// and pointer arrays and values in 64-bit lines, 2*8*ceil(f/2) + sum over fibers of (8*ceil(z/2) +
/// 8z) bytes with f fibers over K (CSF with 32-bit coordinates and pointers and 64-bit values).
///
/// Two counts per coordinate i are kept bit by bit, the j-th plane holding bit j of all 128: how
/// many fibers hold i alone (single planes), and how many fibers of two or more coordinates begin
/// before i and do not end before it (cover planes).
class MicrotileGrid {
 public:
  /// `matrix` rows are the outer rank and columns the contracted one: A as it is, B transposed.
  MicrotileGrid(const CsrMatrix& matrix, MicrotileShape shape);

  [[nodiscard]] MicrotileShape shape() const { return shape_; }
  [[nodiscard]] Coordinate outer_blocks() const { return outer_blocks_; }
  [[nodiscard]] Coordinate inner_blocks() const { return inner_blocks_; }
  [[nodiscard]] std::uint64_t nnz() const { return nnz_; }
  [[nodiscard]] std::span<const Microtile> all() const { return tiles_; }
  [[nodiscard]] std::span<const Microtile> list(Coordinate outer_block) const {
    return {tiles_.data() + offsets_[outer_block], tiles_.data() + offsets_[outer_block + 1]};
  }
  /// Those of list() with first <= inner_block < last.
  [[nodiscard]] std::span<const Microtile> list(Coordinate outer_block, Coordinate first,
                                                Coordinate last) const;
  [[nodiscard]] std::span<const MaskGroup> groups(const Microtile& tile) const {
    return {groups_.data() + tile.group_begin, tile.groups};
  }
  [[nodiscard]] std::span<const SingleGroup> singles(const Microtile& tile) const {
    return {singles_.data() + tile.single_begin, tile.singles};
  }
  [[nodiscard]] std::span<const Mask128> single_planes(const Microtile& tile) const {
    return {planes_.data() + tile.plane_begin, tile.single_planes};
  }
  [[nodiscard]] std::span<const Mask128> cover_planes(const Microtile& tile) const {
    return {planes_.data() + tile.plane_begin + tile.single_planes, tile.cover_planes};
  }

 private:
  MicrotileShape shape_;
  Coordinate outer_blocks_;
  Coordinate inner_blocks_;
  std::uint64_t nnz_;
  std::vector<std::uint64_t> offsets_;
  std::vector<Microtile> tiles_;
  std::vector<MaskGroup> groups_;
  std::vector<SingleGroup> singles_;
  std::vector<Mask128> planes_;
};

}  // namespace lacuna
