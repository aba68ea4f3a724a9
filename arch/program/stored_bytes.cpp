// SPDX-License-Identifier: Apache-2.0
#include "arch/program/stored_bytes.hpp"

#include "base/units.hpp"

namespace lacuna {

std::uint64_t stored_bytes(const Microtile& tile, const OperandFormat& format, Bytes burst) {
  std::uint64_t bytes = 0;
  if (format.padded) {
    bytes = tile.padded_payload;
  } else {
    const std::uint64_t fibers =
        format.fibers == OperandFormat::Fibers::over_k ? tile.outer_fibers : tile.inner_fibers;
    bytes = format.microtile_bytes + format.fiber_bytes * fibers + format.nonzero_bytes * tile.nnz;
  }
  return burst.count() <= 1 ? bytes : ceil_div(bytes, burst.count()) * burst.count();
}

std::uint64_t value_bytes(const Microtile& tile) {
  return std::uint64_t{8} * tile.nnz;
}

std::uint64_t list_bytes(std::size_t length, const OperandFormat& format) {
  return format.padded ? 16 * ceil_div(length, 2) : format.list_bytes;
}

}  // namespace lacuna
