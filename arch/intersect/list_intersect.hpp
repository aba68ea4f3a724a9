// SPDX-License-Identifier: Apache-2.0
// The intersection of two sorted lists, of microtiles (rank K1) or of what else has a coordinate,
// walked match by match; the counting rules are those of fiber_intersect.hpp.
#pragma once

#include <cstdint>
#include <span>

#include "arch/intersect/fiber_intersect.hpp"
#include "sparse_formats/microtiles.hpp"

namespace lacuna {

/// What a list is sorted by.
inline Coordinate in_list(const Microtile& tile) {
  return tile.inner_block;
}
inline Coordinate in_list(Coordinate coordinate) {
  return coordinate;
}

template <class A, class B>
class SortedIntersect {
 public:
  SortedIntersect() = default;
  SortedIntersect(IntersectKind kind, std::span<const A> a, std::span<const B> b)
      : kind_(kind), a_(a), b_(b) {}

  /// Advances to the next match; false when either list has ended. tries() grows on the way.
  bool next() {
    while (i_ < a_.size() && j_ < b_.size()) {
      const Coordinate x = in_list(a_[i_]);
      const Coordinate y = in_list(b_[j_]);
      if (x == y) {
        ++tries_;
        side_ = 0;
        match_a_ = i_++;
        match_b_ = j_++;
        return true;
      }
      const int side = x < y ? 1 : 2;
      if (kind_ == IntersectKind::two_finger || side != side_) ++tries_;
      side_ = side;
      side == 1 ? ++i_ : ++j_;
    }
    return false;
  }
  [[nodiscard]] std::uint64_t tries() const { return tries_; }
  [[nodiscard]] const A& a() const { return a_[match_a_]; }
  [[nodiscard]] const B& b() const { return b_[match_b_]; }
  [[nodiscard]] std::size_t b_index() const { return match_b_; }
  [[nodiscard]] std::size_t a_index() const { return match_a_; }

 private:
  IntersectKind kind_ = IntersectKind::skip_ahead;
  std::span<const A> a_;
  std::span<const B> b_;
  std::size_t i_ = 0, j_ = 0, match_a_ = 0, match_b_ = 0;
  int side_ = 0;
  std::uint64_t tries_ = 0;
};

using ListIntersect = SortedIntersect<Microtile, Microtile>;

}  // namespace lacuna
