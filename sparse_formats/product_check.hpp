// SPDX-License-Identifier: Apache-2.0
// Is a product that a machine computed the product of its operands?
#pragma once

#include <span>
#include <string>

#include "sparse_formats/csr.hpp"
#include "sparse_formats/output_samples.hpp"

namespace lacuna {

struct ProductCheck {
  bool passed = true;
  /// Of an entry, over the sum of the magnitudes of its products; 1 where no such number exists.
  double max_relative_error = 0;
  std::string problem;  // the first place that is wrong, and how; empty when it passed
};

/// Against A * B in double precision (reference_product()); `b` is K x N. An entry may be off by
/// 1e-9 of the sum of the magnitudes of its products, which allows for any order of adding up.
/// What is not a finite number, on either side, cannot be compared and does not pass.
/// With `samples` against the places of A * B that they keep (sampled()).
[[nodiscard]] ProductCheck check_product(const CsrMatrix& simulated, const CsrMatrix& a,
                                         const CsrMatrix& b,
                                         const OutputSamples* samples = nullptr);
/// Of a product with every place, row-major; those that no product reaches must be zero.
[[nodiscard]] ProductCheck check_product(std::span<const double> simulated, const CsrMatrix& a,
                                         const CsrMatrix& b);

}  // namespace lacuna
