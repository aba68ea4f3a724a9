// SPDX-License-Identifier: Apache-2.0
// HighLight's variable fetch management unit (VFMU; Wu et al., MICRO'23): the global buffer is read
// in whole aligned lines, the arrays take what a step needs, which varies with the nonzeros.
#pragma once

#include <cstdint>

#include "sparse_formats/occupancy.hpp"

namespace lacuna {

/// Reads a line only when what is left is too short. It holds at most the rest of one line and
/// the lines of one need: two lines when no step needs more than a line.
class Vfmu {
 public:
  explicit Vfmu(std::uint64_t line_words) : line_(line_words) {}

  /// Words of the next step; returns the lines read for it.
  std::uint64_t take(std::uint64_t need) {
    std::uint64_t lines = 0;
    for (; valid_ < need; valid_ += line_) ++lines;
    if (valid_ > most_held_) most_held_ = valid_;
    valid_ -= need;
    lines_ += lines;
    taken_ += need;
    return lines;
  }
  /// The stream starts anew at another line.
  void flush() { valid_ = 0; }

  [[nodiscard]] std::uint64_t lines() const { return lines_; }
  [[nodiscard]] std::uint64_t taken() const { return taken_; }
  [[nodiscard]] std::uint64_t most_held() const { return most_held_; }

 private:
  std::uint64_t line_;
  std::uint64_t valid_ = 0, lines_ = 0, taken_ = 0, most_held_ = 0;
};

struct VfmuCounts {
  std::uint64_t lines = 0;      // of one walk over all of B
  std::uint64_t taken = 0;      // words
  std::uint64_t most_held = 0;  // words, largest fill of the unit
};

/// One walk over B (given N x K): tile after tile of `columns` columns, window after window of
/// `window` positions of K, column after column; a step needs the nonzeros of its window, all of it
/// when B is stored `dense`. The unit starts anew with each tile of columns.
[[nodiscard]] VfmuCounts walk_b(const Occupancy& b_transposed, std::uint64_t window,
                                std::uint64_t columns, std::uint64_t line_words, bool dense);

}  // namespace lacuna
