// SPDX-License-Identifier: Apache-2.0
// The intersection of two microtile lists (rank K1), walked match by match; the counting rules are
// those of fiber_intersect.hpp.
#pragma once

#include <cstdint>
#include <span>

#include "arch/intersect/fiber_intersect.hpp"
#include "sparse_formats/microtiles.hpp"

namespace lacuna {

class ListIntersect {
 public:
  ListIntersect() = default;
  ListIntersect(IntersectKind kind, std::span<const Microtile> a, std::span<const Microtile> b)
      : kind_(kind), a_(a), b_(b) {}

  /// Advances to the next match; false when either list has ended. tries() grows on the way.
  bool next() {
    while (i_ < a_.size() && j_ < b_.size()) {
      const Coordinate x = a_[i_].inner_block;
      const Coordinate y = b_[j_].inner_block;
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
  [[nodiscard]] const Microtile& a() const { return a_[match_a_]; }
  [[nodiscard]] const Microtile& b() const { return b_[match_b_]; }
  [[nodiscard]] std::size_t b_index() const { return match_b_; }
  [[nodiscard]] std::size_t a_index() const { return match_a_; }

 private:
  IntersectKind kind_ = IntersectKind::skip_ahead;
  std::span<const Microtile> a_, b_;
  std::size_t i_ = 0, j_ = 0, match_a_ = 0, match_b_ = 0;
  int side_ = 0;
  std::uint64_t tries_ = 0;
};

}  // namespace lacuna
