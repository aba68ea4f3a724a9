// SPDX-License-Identifier: Apache-2.0
// The sampled product (SDDMM): Z = S .* (A * B). S says which places of the product are computed
// and, unless it is a mask of ones, what each is multiplied by.
#pragma once

#include <cstdint>
#include <vector>

#include "sparse_formats/csr.hpp"

namespace lacuna {

struct OutputSamples {
  CsrMatrix places;   // M x N
  bool ones = false;  // a mask: it has no values, and nothing is multiplied by it
};

/// What the nonzeros of S take, counted one by one from the fibers that meet there.
struct SampledCounts {
  std::uint64_t multiplies = 0;  // sum over S of what A's row and B's column have in common
  std::uint64_t outputs = 0;     // places of S with at least one product
  std::uint64_t a_touched = 0, b_touched = 0;  // nonzeros that take part in any product
};

/// `b_transposed` is N x K.
[[nodiscard]] SampledCounts sampled_counts(const CsrMatrix& a, const CsrMatrix& b_transposed,
                                           const OutputSamples& samples);

/// Those places of `product` that S has, each multiplied by S's value there unless S is of ones or
/// has none. `magnitude`: by its magnitude.
[[nodiscard]] CsrMatrix sampled(const CsrMatrix& product, const OutputSamples& samples,
                                bool magnitude = false);

}  // namespace lacuna
