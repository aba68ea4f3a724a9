// SPDX-License-Identifier: Apache-2.0
// A tensor of any order by its nonzeros, one after another.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sparse_formats/csr.hpp"

namespace lacuna {

/// `coordinates` holds as many for each nonzero as the tensor has ranks, each below its extent;
/// `values` one for each, or none at all (a pattern).
struct SparseTensor {
  std::vector<std::uint64_t> shape;
  std::vector<Coordinate> coordinates;
  std::vector<double> values;

  [[nodiscard]] std::size_t order() const { return shape.size(); }
  [[nodiscard]] std::uint64_t nnz() const {
    return shape.empty() ? 0 : coordinates.size() / shape.size();
  }
  [[nodiscard]] std::span<const Coordinate> at(std::uint64_t nonzero) const {
    return {coordinates.data() + nonzero * order(), order()};
  }
  [[nodiscard]] bool has_values() const { return !values.empty() || coordinates.empty(); }
};

/// Of two ranks, rows first.
[[nodiscard]] SparseTensor tensor_of(const CsrMatrix& matrix);

}  // namespace lacuna
