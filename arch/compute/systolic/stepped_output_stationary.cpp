// SPDX-License-Identifier: Apache-2.0
#include "arch/compute/systolic/stepped_output_stationary.hpp"

#include <algorithm>

#include "base/whole.hpp"

namespace lacuna {

/// Positions first .. last-1 of K; the cycle in which the last element is done with them.
std::uint64_t SteppedOutputStationary::step_wavefront(std::uint64_t first, std::uint64_t last) {
  const auto [height, width] = spec_.arrays.tiles.front();
  for (std::uint64_t k = first; k < last; ++k) {
    for (std::uint64_t r = 0; r < height; ++r) {
      for (std::uint64_t c = 0; c < width; ++c) {
        const std::uint64_t from_left = c > 0 ? done_[r * width + c - 1] : k;  // one a cycle enters
        const std::uint64_t from_above = r > 0 ? done_[(r - 1) * width + c] : k;
        std::uint64_t& own = done_[r * width + c];
        own = std::max({own, from_left, from_above}) + 1;
      }
    }
  }
  return done_.back();
}

/// Every fold passes the whole array in the same steps: those of the first are remembered.
std::uint64_t SteppedOutputStationary::stepped(std::uint64_t chunk) {
  if (chunk < known_.size()) return known_[chunk];
  const auto [height, width] = spec_.arrays.tiles.front();
  if (chunk == 0) done_.assign(height * width, 0);
  const std::uint64_t before = done_.back();
  std::uint64_t cycles =
      step_wavefront(product_.first_k(chunk), product_.first_k(chunk + 1)) - before;
  // The last sum is finished: all move down a row a cycle, the top row last.
  if (chunk + 1 == product_.chunks) cycles += height;
  known_.push_back(cycles);
  return cycles;
}

Execution SteppedOutputStationary::execute(const ArrayInstruction& at) {
  Execution out = fast_.execute(at);
  out.cycles = std::max(real(stepped(at.chunk)), out.glb_words / spec_.glb.words_per_cycle);
  return out;
}

}  // namespace lacuna
