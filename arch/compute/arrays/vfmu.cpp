// SPDX-License-Identifier: Apache-2.0
#include "arch/compute/arrays/vfmu.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace lacuna {

namespace {

/// One tile of columns n0 .. n0+count-1, of a repeated operand as its sample has them.
void walk_tile(const BitMatrix& b, std::uint64_t n0, std::uint64_t count, std::uint64_t window,
               bool dense, Vfmu& unit) {
  for (std::uint64_t k = 0; k < b.cols(); k += window) {
    const std::uint64_t width = std::min(window, b.cols() - k);
    for (std::uint64_t n = n0; n < n0 + count; ++n) {
      const std::uint64_t row = n % b.rows();
      unit.take(dense         ? width
                : width <= 64 ? count_bits(b.bits(row, k, width))
                              : b.count(row, k, k + width));
    }
  }
}

}  // namespace

VfmuCounts walk_b(const Occupancy& b, std::uint64_t window, std::uint64_t columns,
                  std::uint64_t line_words, bool dense) {
  std::map<std::pair<std::uint64_t, std::uint64_t>, VfmuCounts> known;  // tiles that are alike
  VfmuCounts total;
  for (std::uint64_t n0 = 0; n0 < b.rows(); n0 += columns) {
    const std::uint64_t count = std::min(columns, b.rows() - n0);
    const std::uint64_t first = dense ? 0 : n0 % b.sample().rows();
    const auto [tile, is_new] = known.try_emplace({first, count});
    if (is_new) {
      Vfmu unit(line_words);
      walk_tile(b.sample(), first, count, window, dense, unit);
      tile->second = {unit.lines(), unit.taken(), unit.most_held()};
    }
    total.lines += tile->second.lines;
    total.taken += tile->second.taken;
    total.most_held = std::max(total.most_held, tile->second.most_held);
  }
  return total;
}

}  // namespace lacuna
