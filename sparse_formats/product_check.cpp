// SPDX-License-Identifier: Apache-2.0
#include "sparse_formats/product_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "sparse_formats/reference_product.hpp"

namespace lacuna {
namespace {

constexpr double kTolerance = 1e-9;

CsrMatrix magnitudes(CsrMatrix matrix) {
  for (double& value : matrix.values) value = std::abs(value);
  return matrix;
}

class Comparison {
 public:
  void entry(std::uint64_t row, std::uint64_t column, double simulated, double reference,
             double magnitude) {
    if (!std::isfinite(simulated) || !std::isfinite(magnitude)) {
      fail(row, column,
           fmt::format("{} where the reference has {}: values that overflow cannot be compared",
                       simulated, reference));
      check_.max_relative_error = std::max(check_.max_relative_error, 1.0);
      return;
    }
    const double difference = std::abs(simulated - reference);
    if (difference == 0) return;
    const double error = magnitude > 0 ? std::min(difference / magnitude, 1e300) : 1.0;
    check_.max_relative_error = std::max(check_.max_relative_error, error);
    if (error > kTolerance)
      fail(row, column, fmt::format("{} instead of {}", simulated, reference));
  }
  void misplaced(std::uint64_t row) {
    check_.max_relative_error = std::max(check_.max_relative_error, 1.0);
    note(fmt::format("the nonzeros of row {} are not in their places", row));
  }
  [[nodiscard]] ProductCheck take() { return std::move(check_); }

 private:
  void fail(std::uint64_t row, std::uint64_t column, const std::string& how) {
    note(fmt::format("row {}, column {} is {}", row, column, how));
  }
  void note(std::string problem) {
    if (check_.passed) check_.problem = std::move(problem);
    check_.passed = false;
  }

  ProductCheck check_;
};

}  // namespace

ProductCheck check_product(const CsrMatrix& simulated, const CsrMatrix& a, const CsrMatrix& b,
                           const OutputSamples* samples) {
  CsrMatrix reference = reference_product(a, b);
  CsrMatrix magnitude = reference_product(magnitudes(a), magnitudes(b));
  if (samples != nullptr) {
    reference = sampled(reference, *samples);
    magnitude = sampled(magnitude, *samples, true);
  }
  LACUNA_CHECK(simulated.rows == reference.rows && simulated.cols == reference.cols,
               "a product of {} x {}, the operands make {} x {}", simulated.rows, simulated.cols,
               reference.rows, reference.cols);
  Comparison comparison;
  for (Coordinate row = 0; row < reference.rows; ++row) {
    const auto columns = reference.cols_of(row), had = simulated.cols_of(row);
    if (!std::equal(columns.begin(), columns.end(), had.begin(), had.end())) {
      comparison.misplaced(row);
      continue;
    }
    for (std::size_t i = 0; i < columns.size(); ++i) {
      comparison.entry(row, columns[i], simulated.values_of(row)[i], reference.values_of(row)[i],
                       magnitude.values_of(row)[i]);
    }
  }
  return comparison.take();
}

ProductCheck check_product(std::span<const double> simulated, const CsrMatrix& a,
                           const CsrMatrix& b) {
  const CsrMatrix reference = reference_product(a, b);
  const CsrMatrix magnitude = reference_product(magnitudes(a), magnitudes(b));
  const std::uint64_t cols = reference.cols;
  LACUNA_CHECK(simulated.size() == reference.rows * cols, "{} entries for {} x {}",
               simulated.size(), reference.rows, cols);
  Comparison comparison;
  for (Coordinate row = 0; row < reference.rows; ++row) {
    const auto columns = reference.cols_of(row);
    for (std::uint64_t column = 0, i = 0; column < cols; ++column) {
      const double value = simulated[row * cols + column];
      if (i < columns.size() && columns[i] == column) {
        comparison.entry(row, column, value, reference.values_of(row)[i],
                         magnitude.values_of(row)[i]);
        ++i;
      } else {
        comparison.entry(row, column, value, 0, 0);
      }
    }
  }
  return comparison.take();
}

}  // namespace lacuna
