// SPDX-License-Identifier: Apache-2.0
// Products to check a machine against: how much work Z = A * B is, and what its result is.
#pragma once

#include <cstdint>

#include "sparse_formats/csr.hpp"

namespace lacuna {

struct SpgemmCounts {
  /// Effectual multiplies: sum over k of (nonzeros in column k of A) * (nonzeros in row k of B).
  std::uint64_t multiplies = 0;
  /// Nonzeros of Z by structure: places that at least one product reaches, whatever the sum is.
  std::uint64_t nnz = 0;
};

/// By a symbolic row-by-row product (Gustavson 1978). Throws InputError when A's columns and B's
/// rows differ in number.
[[nodiscard]] SpgemmCounts spgemm_counts(const CsrMatrix& a, const CsrMatrix& b);

/// Z = A * B in double precision with Eigen; a pattern counts as ones. Z holds every place of
/// SpgemmCounts::nnz, also where the sum cancels to zero. Throws InputError as spgemm_counts().
[[nodiscard]] CsrMatrix reference_product(const CsrMatrix& a, const CsrMatrix& b);

}  // namespace lacuna
