// SPDX-License-Identifier: Apache-2.0
// Operands for the machines that take every nonzero.
#pragma once

#include "sparse_formats/occupancy.hpp"

namespace lacuna {

/// Most nonzeros of both operands of one product that come from patterns: some 2 GiB while it runs.
inline constexpr std::uint64_t kMostExplicitNonzeros = 64'000'000;

/// Every row of the operand, explicit.
[[nodiscard]] inline CsrMatrix explicit_rows(const Occupancy& occupancy) {
  CsrMatrix out;
  const CsrMatrix sample = occupancy.sample().to_csr();
  out.rows = static_cast<Coordinate>(occupancy.rows());
  out.cols = sample.cols;
  out.columns.reserve(occupancy.count());
  out.offsets.assign(1, 0);
  for (std::uint64_t r = 0; r < occupancy.rows(); ++r) {
    const std::uint64_t row = r % sample.rows;
    for (auto i = sample.offsets[row]; i < sample.offsets[row + 1]; ++i) {
      out.columns.push_back(sample.columns[i]);
    }
    out.offsets.push_back(out.columns.size());
  }
  return out;
}

}  // namespace lacuna
