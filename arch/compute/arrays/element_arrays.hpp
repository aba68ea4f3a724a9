// SPDX-License-Identifier: Apache-2.0
// A MAC-array machine value by value, for small products: A's slots with their coordinates, the
// selection of B by them, gating, and the scattered psums of an outer product. Its counts must
// equal those of the fast model, its outputs the reference product.
#pragma once

#include <cstdint>
#include <vector>

#include "arch/spec/fabric_spec.hpp"
#include "sparse_formats/csr.hpp"

namespace lacuna {

struct ElementRun {
  std::uint64_t slots = 0;  // inner: operand pairs; outer: lane positions in use
  std::uint64_t computed = 0;
  std::uint64_t gated = 0;
  std::uint64_t issues = 0;  // outer: issue slots of all arrays
  std::vector<double> z;     // M x N, row-major
};

/// `pattern` is what A runs at: each group's slots hold its values and, where a group has fewer,
/// the smallest coordinates left over with an empty payload. Throws ModelError when a group holds
/// more than its rules allow. `b_transposed` is N x K; both carry values.
[[nodiscard]] ElementRun run_inner_elements(const CsrMatrix& a, const CsrMatrix& b_transposed,
                                            const Pattern& pattern, bool gating);

/// Tiles of array_rows x array_columns, K after K, `rows` values of A by `lanes` values of B a
/// slot.
[[nodiscard]] ElementRun run_outer_elements(const CsrMatrix& a, const CsrMatrix& b_transposed,
                                            std::uint64_t array_rows, std::uint64_t array_columns,
                                            std::uint64_t rows, std::uint64_t lanes);

}  // namespace lacuna
