// SPDX-License-Identifier: Apache-2.0
// The loop nest of a dataflow. A rank is cut into digits, as a number is: M2 M1 M0 from the outside
// in, or M alone when it is not cut. The loops are digits, outermost first.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace lacuna::description {

/// One loop: digit `number` of a rank; 0 is the innermost.
struct Digit {
  std::string rank;  // "M"
  unsigned number = 0;
  bool whole = false;  // written without a number: the rank is not cut

  [[nodiscard]] std::string text() const;
  friend bool operator==(const Digit&, const Digit&) = default;
};

/// "M1", "K0", "N". Throws InputError at `place`.
[[nodiscard]] Digit parse_digit(std::string_view text, const Place& place);

/// Loops, outermost first.
class LoopNest {
 public:
  LoopNest() = default;
  /// Throws InputError at `place` when a digit comes twice, a rank's digits do not descend without
  /// a gap, or a rank is both whole and cut.
  LoopNest(std::vector<Digit> loops, const Place& place);

  [[nodiscard]] const std::vector<Digit>& loops() const { return loops_; }
  [[nodiscard]] std::vector<std::string> texts() const;
  /// Where a digit stands, 0 outermost; nothing when there is no such loop.
  [[nodiscard]] std::optional<std::size_t> depth(const Digit& digit) const;
  /// No loop outside this one belongs to its rank: what it spans is what the others leave.
  [[nodiscard]] bool outermost_of_rank(const Digit& digit) const;
  [[nodiscard]] bool has_rank(std::string_view rank) const;

 private:
  std::vector<Digit> loops_;
};

}  // namespace lacuna::description
