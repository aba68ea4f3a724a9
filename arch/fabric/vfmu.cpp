// SPDX-License-Identifier: Apache-2.0
#include "arch/fabric/vfmu.hpp"

#include <algorithm>

namespace lacuna {

VfmuCounts walk_b(const BitMatrix& b, std::uint64_t window, std::uint64_t columns,
                  std::uint64_t line_words, bool dense) {
  Vfmu unit(line_words);
  for (std::uint64_t n0 = 0; n0 < b.rows(); n0 += columns) {
    const std::uint64_t n1 = std::min(b.rows(), n0 + columns);
    unit.flush();
    for (std::uint64_t k = 0; k < b.cols(); k += window) {
      const std::uint64_t width = std::min(window, b.cols() - k);
      for (std::uint64_t n = n0; n < n1; ++n) {
        const std::uint64_t need = dense         ? width
                                   : width <= 64 ? count_bits(b.bits(n, k, width))
                                                 : b.count(n, k, k + width);
        unit.take(need);
      }
    }
  }
  return {unit.lines(), unit.taken(), unit.most_held()};
}

}  // namespace lacuna
