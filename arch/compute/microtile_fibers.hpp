// SPDX-License-Identifier: Apache-2.0
// The fibers of microtiles, one by one: what a grid keeps as counts only.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sparse_formats/microtiles.hpp"

namespace lacuna {

/// A nonempty fiber over the inner rank.
struct MicrotileFiber {
  std::uint32_t outer;       // within its microtile
  std::uint64_t begin, end;  // nonzeros of the matrix
  Mask128 mask;              // their coordinates within the microtile
};
/// What a list of fibers is sorted by.
inline Coordinate in_list(const MicrotileFiber& fiber) {
  return fiber.outer;
}

class MicrotileFibers {
 public:
  explicit MicrotileFibers(Coordinate inner_blocks) : index_(inner_blocks) {}

  /// Room for so many microtiles; what was there is gone or is replaced by expand().
  void resize(std::size_t microtiles) { fibers_.resize(microtiles); }
  /// The fibers of a list of an outer block, from the place `first` on.
  void expand(const CsrMatrix& matrix, MicrotileShape shape, Coordinate outer_block,
              std::span<const Microtile> list, std::size_t first);
  [[nodiscard]] std::span<const MicrotileFiber> operator[](std::size_t microtile) const {
    return fibers_[microtile];
  }

 private:
  std::vector<std::vector<MicrotileFiber>> fibers_;
  std::vector<std::uint32_t> index_;  // of a block in the list at hand
};

}  // namespace lacuna
