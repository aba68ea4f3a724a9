// SPDX-License-Identifier: Apache-2.0
#include "arch/compute/microtile_fibers.hpp"

#include <algorithm>

namespace lacuna {

void MicrotileFibers::expand(const CsrMatrix& matrix, MicrotileShape shape, Coordinate outer_block,
                             std::span<const Microtile> list, std::size_t first) {
  if (list.empty()) return;
  for (std::size_t i = 0; i < list.size(); ++i) {
    index_[list[i].inner_block] = static_cast<std::uint32_t>(first + i);
    fibers_[first + i].clear();
  }
  const Coordinate from = list.front().inner_block * shape.inner;
  const std::uint64_t to = (std::uint64_t{list.back().inner_block} + 1) * shape.inner;
  const Coordinate begin = outer_block * shape.outer;
  const Coordinate end = std::min(matrix.rows, begin + shape.outer);
  for (Coordinate row = begin; row < end; ++row) {
    const auto columns = matrix.cols_of(row);
    auto at = std::lower_bound(columns.begin(), columns.end(), from);
    while (at != columns.end() && *at < to) {
      const Coordinate block = *at / shape.inner;
      const auto start = at;
      while (at != columns.end() && *at / shape.inner == block) ++at;
      const auto offset = matrix.offsets[row];
      MicrotileFiber fiber{row - begin,
                           offset + static_cast<std::uint64_t>(start - columns.begin()),
                           offset + static_cast<std::uint64_t>(at - columns.begin()),
                           {}};
      for (auto member = start; member != at; ++member) fiber.mask.insert(*member % shape.inner);
      fibers_[index_[block]].push_back(fiber);
    }
  }
}

}  // namespace lacuna
