// SPDX-License-Identifier: Apache-2.0
#include "sparse_formats/occupancy.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "sparse_formats/pattern_occupancy.hpp"

namespace lacuna {

Occupancy::Occupancy(BitMatrix matrix) : sample_(std::move(matrix)), rows_(sample_.rows()) {
  full_ = sample_.count() == sample_.rows() * sample_.cols();
}

Occupancy Occupancy::repeated(BitMatrix sample, std::uint64_t rows) {
  LACUNA_CHECK(sample.rows() > 0 || rows == 0, "no sample for {} rows", rows);
  if (sample.rows() > rows) sample = sample.window(0, rows, 0, sample.cols());
  Occupancy out(std::move(sample), rows);
  out.full_ = out.sample_.count() == out.sample_.rows() * out.sample_.cols();
  return out;
}

Occupancy Occupancy::procedural(const Pattern& pattern, std::uint64_t rows, std::uint64_t cols,
                                std::uint64_t seed, std::string_view stream,
                                std::uint64_t sample_rows) {
  const std::uint64_t drawn =
      pattern.kind == PatternKind::dense ? 1 : std::max<std::uint64_t>(1, sample_rows);
  return repeated(
      make_occupancy(pattern, std::min(rows, drawn), cols, seed, {Axis::along_row, stream}), rows);
}

std::uint64_t Occupancy::count() const {
  return count(0, rows_, 0, cols());
}

std::uint64_t Occupancy::count(std::uint64_t r0, std::uint64_t r1, std::uint64_t c0,
                               std::uint64_t c1) const {
  if (full_) return (r1 - r0) * (c1 - c0);
  const std::uint64_t period = sample_.rows();
  if (is_explicit()) return sample_.count(r0, r1, c0, c1);
  std::uint64_t sum = 0;
  if (r1 - r0 >= period) {
    sum = (r1 - r0) / period * sample_.count(0, period, c0, c1);
    r1 = r0 + (r1 - r0) % period;
  }
  const std::uint64_t first = r0 % period, rest = r1 - r0;
  const std::uint64_t before_wrap = std::min(rest, period - first);
  sum += sample_.count(first, first + before_wrap, c0, c1);
  if (rest > before_wrap) sum += sample_.count(0, rest - before_wrap, c0, c1);
  return sum;
}

std::vector<std::uint64_t> Occupancy::col_counts() const {
  if (full_) return std::vector<std::uint64_t>(cols(), rows_);
  std::vector<std::uint64_t> counts = sample_.col_counts();
  if (is_explicit()) return counts;
  const std::uint64_t whole = rows_ / sample_.rows();
  const std::vector<std::uint64_t> rest =
      sample_.window(0, rows_ % sample_.rows(), 0, cols()).col_counts();
  for (std::size_t c = 0; c < counts.size(); ++c) counts[c] = counts[c] * whole + rest[c];
  return counts;
}

double Occupancy::density() const {
  const double area = static_cast<double>(rows_) * static_cast<double>(cols());
  return area > 0 ? static_cast<double>(count()) / area : 0;
}

double Occupancy::density_error() const {
  const auto n = static_cast<double>(sample_.rows());
  if (is_explicit() || full_ || n < 2) return 0;
  double sum = 0, squares = 0;
  for (const std::uint64_t count : sample_.row_counts()) {
    const double density = static_cast<double>(count) / static_cast<double>(cols());
    sum += density;
    squares += density * density;
  }
  const double variance = std::max(0.0, (squares - sum * sum / n) / (n - 1));
  return std::sqrt(variance / n);
}

}  // namespace lacuna
