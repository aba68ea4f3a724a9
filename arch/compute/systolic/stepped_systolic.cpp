// SPDX-License-Identifier: Apache-2.0
#include "arch/compute/systolic/stepped_systolic.hpp"

#include <algorithm>
#include <vector>

#include "base/whole.hpp"

namespace lacuna {

/// From the first value that enters to the last sum that leaves.
std::uint64_t SteppedSystolic::fold(std::uint64_t rows, std::uint64_t columns_of_b) const {
  const std::uint64_t width = spec_.arrays.rows;
  // When each element is done with the column of B before; the row above with this one.
  std::vector<std::uint64_t> done(rows * width, 0);
  std::uint64_t last = 0;
  for (std::uint64_t n = 0; n < columns_of_b; ++n) {
    for (std::uint64_t r = 0; r < rows; ++r) {
      for (std::uint64_t c = 0; c < width; ++c) {
        const std::uint64_t from_left = c > 0 ? done[r * width + c - 1] : n + 1;  // its register
        const std::uint64_t from_above = r > 0 ? done[(r - 1) * width + c] : 0;
        std::uint64_t& own = done[r * width + c];
        own = std::max({own, from_left, from_above}) + 1;
      }
    }
    last = done.back() + 1;  // into the register below
  }
  return last;
}

Execution SteppedSystolic::execute(const ArrayInstruction& at) {
  Execution out = fast_.execute(at);
  const std::uint64_t stream = ceil_div(product_.columns_of(at.n), spec_.arrays.across_n);
  std::uint64_t cycles = 0;
  for (std::uint64_t s = product_.first_step(at.chunk); s < product_.first_step(at.chunk + 1);
       ++s) {
    const std::uint64_t rows = systolic_rows(product_, s, s + 1);
    cycles += fold(rows, stream) + (spec_.arrays.load_exposed ? rows : 0);
  }
  out.cycles = std::max(real(cycles), out.glb_words / spec_.glb.words_per_cycle);
  return out;
}

}  // namespace lacuna
