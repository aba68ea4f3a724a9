// SPDX-License-Identifier: Apache-2.0
// Where the fibers of a sparse matrix lie in memory, row by row, and how many bytes they take.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "arch/program/rowwise_program.hpp"
#include "arch/spec/rowwise_spec.hpp"
#include "sparse_formats/csr.hpp"

namespace lacuna {

/// The pointers of all rows, each of whole bytes, then the nonzeros row by row, each row from a
/// whole byte on.
class FiberLayout {
 public:
  FiberLayout(const CsrMatrix& matrix, const FiberFormat& format);

  [[nodiscard]] StoredRange pointer_of(Coordinate row) const {
    return {row * pointer_bytes_, pointer_bytes_};
  }
  [[nodiscard]] StoredRange nonzeros_of(Coordinate row) const {
    return {begin_[row], begin_[row + 1] - begin_[row]};
  }
  /// Where the nonzero of this index in its row ends.
  [[nodiscard]] std::uint64_t end_of(Coordinate row, std::uint64_t index) const {
    return begin_[row] + bytes(index + 1);
  }
  [[nodiscard]] std::uint64_t pointer_bytes() const { return pointer_bytes_; }

 private:
  [[nodiscard]] std::uint64_t bytes(std::uint64_t nonzeros) const {
    return (nonzeros * nonzero_bits_ + 7) / 8;
  }
  std::uint64_t pointer_bytes_, nonzero_bits_;
  std::vector<std::uint64_t> begin_;
};

/// Nonzeros that a list of run lengths stores for these coordinates from `first` on: the empty ones
/// that bridge long gaps too. With plain coordinates as many as there are.
[[nodiscard]] std::uint64_t stored_nonzeros(const FiberFormat& format, Coordinate first,
                                            std::span<const Coordinate> coordinates);

}  // namespace lacuna
