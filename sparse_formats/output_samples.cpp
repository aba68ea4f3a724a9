// SPDX-License-Identifier: Apache-2.0
#include "sparse_formats/output_samples.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "base/interrupt.hpp"

namespace lacuna {

SampledCounts sampled_counts(const CsrMatrix& a, const CsrMatrix& b_transposed,
                             const OutputSamples& samples) {
  SampledCounts counts;
  std::vector<char> of_a(a.nnz()), of_b(b_transposed.nnz());
  for (Coordinate m = 0; m < samples.places.rows; ++m) {
    stop_if_requested();
    for (const Coordinate n : samples.places.cols_of(m)) {
      std::uint64_t i = a.offsets[m], j = b_transposed.offsets[n], met = 0;
      const std::uint64_t i_end = a.offsets[m + 1];
      const std::uint64_t j_end = b_transposed.offsets[std::size_t{n} + 1];
      while (i < i_end && j < j_end) {
        const Coordinate x = a.columns[i], y = b_transposed.columns[j];
        if (x == y) {
          of_a[i] = of_b[j] = 1;
          ++met;
        }
        i += x <= y ? 1 : 0;
        j += y <= x ? 1 : 0;
      }
      counts.multiplies += met;
      counts.outputs += met > 0 ? 1 : 0;
    }
  }
  counts.a_touched = static_cast<std::uint64_t>(std::count(of_a.begin(), of_a.end(), 1));
  counts.b_touched = static_cast<std::uint64_t>(std::count(of_b.begin(), of_b.end(), 1));
  return counts;
}

CsrMatrix sampled(const CsrMatrix& product, const OutputSamples& samples, bool magnitude) {
  const CsrMatrix& places = samples.places;
  LACUNA_CHECK(product.rows == places.rows && product.cols == places.cols,
               "S is {} x {}, the product {} x {}", places.rows, places.cols, product.rows,
               product.cols);
  const bool scales = !samples.ones && !places.values.empty();
  CsrMatrix out;
  out.rows = product.rows;
  out.cols = product.cols;
  for (Coordinate m = 0; m < product.rows; ++m) {
    std::uint64_t s = places.offsets[m];
    for (std::uint64_t i = product.offsets[m]; i < product.offsets[m + 1]; ++i) {
      const Coordinate n = product.columns[i];
      while (s < places.offsets[m + 1] && places.columns[s] < n) ++s;
      if (s == places.offsets[m + 1] || places.columns[s] != n) continue;
      const double by = scales ? places.values[s] : 1.0;
      out.columns.push_back(n);
      out.values.push_back(product.values[i] * (magnitude ? std::abs(by) : by));
    }
    out.offsets.push_back(out.columns.size());
  }
  return out;
}

}  // namespace lacuna
