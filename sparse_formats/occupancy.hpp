// SPDX-License-Identifier: Apache-2.0
// The occupancy of an operand of any size: explicit, or a sample of rows that stands for all.
//
// A weight of a large model needs no memory of its size: its rows are alike by construction, so a
// seeded sample of them repeats, row r being sample row r % sample.rows(). Counts are exact for the
// repeated matrix. They are those of the whole one where the pattern fixes them (dense, HSS), and
// otherwise an estimate whose standard error density_error() gives.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "sparse_formats/pattern.hpp"
#include "sparse_formats/pattern_bits.hpp"

namespace lacuna {

class Occupancy {
 public:
  /// Explicit.
  // NOLINTNEXTLINE(google-explicit-constructor): a matrix is its own occupancy
  Occupancy(BitMatrix matrix);
  /// `rows` rows that repeat those of the sample, which must not be empty.
  [[nodiscard]] static Occupancy repeated(BitMatrix sample, std::uint64_t rows);
  /// A pattern of any size: at most `sample_rows` rows are drawn (make_occupancy()), one when the
  /// pattern is dense.
  [[nodiscard]] static Occupancy procedural(const Pattern& pattern, std::uint64_t rows,
                                            std::uint64_t cols, std::uint64_t seed,
                                            std::string_view stream,
                                            std::uint64_t sample_rows = 256);

  [[nodiscard]] std::uint64_t rows() const { return rows_; }
  [[nodiscard]] std::uint64_t cols() const { return sample_.cols(); }
  /// One period; everything when explicit().
  [[nodiscard]] const BitMatrix& sample() const { return sample_; }
  [[nodiscard]] bool is_explicit() const { return rows_ == sample_.rows(); }

  [[nodiscard]] std::uint64_t count() const;
  [[nodiscard]] std::uint64_t count(std::uint64_t r0, std::uint64_t r1, std::uint64_t c0,
                                    std::uint64_t c1) const;
  [[nodiscard]] std::vector<std::uint64_t> col_counts() const;
  [[nodiscard]] double density() const;
  /// How often the row of the sample occurs.
  [[nodiscard]] std::uint64_t times(std::uint64_t sample_row) const {
    return rows_ / sample_.rows() + (sample_row < rows_ % sample_.rows() ? 1 : 0);
  }
  /// Standard error of the density from the spread over the sample's rows; 0 when explicit.
  [[nodiscard]] double density_error() const;

 private:
  Occupancy(BitMatrix sample, std::uint64_t rows) : sample_(std::move(sample)), rows_(rows) {}

  BitMatrix sample_;
  std::uint64_t rows_ = 0;
  bool full_ = false;  // every position: counts are areas
};

}  // namespace lacuna
