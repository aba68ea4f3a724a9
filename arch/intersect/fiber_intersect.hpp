// SPDX-License-Identifier: Apache-2.0
// What an intersection unit does with two sorted fibers, counted on masks.
//
// Skip-ahead (ExTensor; counting rule of the fibertree model): one try for each match and one for
// each maximal run of advances on one side; a match or a change of side ends a run; the unit stops
// when either fiber ends. Two-finger: one try for each step of the merge, a match advances both.
#pragma once

#include <cstdint>
#include <span>

#include "sparse_formats/microtiles.hpp"

namespace lacuna {

enum class IntersectKind { skip_ahead, two_finger };

/// Tries for one pair of nonempty fibers.
[[nodiscard]] std::uint32_t intersect_tries(IntersectKind kind, const Mask128& a, const Mask128& b);

/// Two microtiles that meet, and what that takes.
struct PairTries {
  const Microtile* a;
  const Microtile* b;
  std::uint64_t tries = 0;
};

/// Sum of intersect_tries over all pairs of fibers of microtile a and microtile b: what a
/// processing element spends on the pair, one try per cycle.
class PairCounter {
 public:
  /// `a` and `b` must outlive the counter. `portable` avoids instructions beyond the baseline.
  PairCounter(IntersectKind kind, const MicrotileGrid& a, const MicrotileGrid& b,
              bool portable = false);
  [[nodiscard]] std::uint64_t tries(const Microtile& a, const Microtile& b) const {
    PairTries pair{&a, &b};
    count_(*this, {&pair, 1});
    return pair.tries;
  }
  /// Fills in `tries` of each.
  void count(std::span<PairTries> pairs) const { count_(*this, pairs); }
  [[nodiscard]] const MicrotileGrid& a() const { return *a_; }
  [[nodiscard]] const MicrotileGrid& b() const { return *b_; }
  /// The instruction set in use: "portable", "popcnt+bmi2".
  [[nodiscard]] const char* isa() const { return isa_; }

 private:
  using Count = void (*)(const PairCounter&, std::span<PairTries>);
  const MicrotileGrid* a_;
  const MicrotileGrid* b_;
  Count count_;
  const char* isa_;
};

}  // namespace lacuna
