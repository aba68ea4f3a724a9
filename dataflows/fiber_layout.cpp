// SPDX-License-Identifier: Apache-2.0
#include "dataflows/fiber_layout.hpp"

namespace lacuna {

FiberLayout::FiberLayout(const CsrMatrix& matrix, const FiberFormat& format)
    : pointer_bytes_((format.pointer_bits + 7) / 8), nonzero_bits_(format.nonzero_bits()) {
  begin_.reserve(std::size_t{matrix.rows} + 1);
  begin_.push_back(matrix.rows * pointer_bytes_);
  for (Coordinate row = 0; row < matrix.rows; ++row) {
    begin_.push_back(begin_.back() + bytes(matrix.offsets[row + 1] - matrix.offsets[row]));
  }
}

std::uint64_t stored_nonzeros(const FiberFormat& format, Coordinate first,
                              std::span<const Coordinate> coordinates) {
  if (!format.run_lengths) return coordinates.size();
  std::uint64_t stored = 0;
  Coordinate next = first;  // the coordinate behind the one before
  for (const Coordinate at : coordinates) {
    stored += 1 + (std::uint64_t{at - next} >> format.coordinate_bits);
    next = at + 1;
  }
  return stored;
}

}  // namespace lacuna
