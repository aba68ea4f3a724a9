// SPDX-License-Identifier: Apache-2.0
// The occupancy of a matrix, one bit per position: what the real zeros of an operand look like to
// the machine, without its values.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sparse_formats/csr.hpp"

namespace lacuna {

/// Number of set bits.
[[nodiscard]] constexpr std::uint64_t count_bits(std::uint64_t x) {
#ifdef __POPCNT__
  return static_cast<std::uint64_t>(__builtin_popcountll(x));
#else  // the compiler would call a table look-up out of line
  x -= (x >> 1) & 0x5555555555555555ULL;
  x = (x & 0x3333333333333333ULL) + ((x >> 2) & 0x3333333333333333ULL);
  x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fULL;
  return (x * 0x0101010101010101ULL) >> 56;
#endif
}

/// The lowest `n` bits set, n <= 64.
[[nodiscard]] constexpr std::uint64_t low_bits(std::uint64_t n) {
  return n >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << n) - 1;
}

/// rows x cols bits, row-major, each row padded to whole 64-bit words; bit c of a row is bit c % 64
/// of word c / 64. The padding is always zero. Ranges are half open.
class BitMatrix {
 public:
  BitMatrix() = default;
  /// All zero. Throws InputError when it would take more than 2 GiB.
  BitMatrix(std::uint64_t rows, std::uint64_t cols);
  /// All one.
  [[nodiscard]] static BitMatrix full(std::uint64_t rows, std::uint64_t cols);
  /// Stored entries, also those whose value is zero: they occupy storage.
  [[nodiscard]] static BitMatrix from_csr(const CsrMatrix& matrix);
  /// Positions of a row-major rows x cols array that are not zero.
  [[nodiscard]] static BitMatrix from_values(std::span<const double> values, std::uint64_t rows,
                                             std::uint64_t cols);

  [[nodiscard]] std::uint64_t rows() const { return rows_; }
  [[nodiscard]] std::uint64_t cols() const { return cols_; }
  [[nodiscard]] std::uint64_t words_per_row() const { return words_per_row_; }
  [[nodiscard]] std::span<const std::uint64_t> row(std::uint64_t r) const {
    return {words_.data() + r * words_per_row_, words_per_row_};
  }
  /// The writer keeps the padding zero.
  [[nodiscard]] std::span<std::uint64_t> row(std::uint64_t r) {
    return {words_.data() + r * words_per_row_, words_per_row_};
  }

  [[nodiscard]] bool get(std::uint64_t r, std::uint64_t c) const {
    return (words_[r * words_per_row_ + c / 64] >> (c % 64) & 1U) != 0;
  }
  void set(std::uint64_t r, std::uint64_t c, bool value = true) {
    std::uint64_t& word = words_[r * words_per_row_ + c / 64];
    const std::uint64_t bit = std::uint64_t{1} << (c % 64);
    word = value ? word | bit : word & ~bit;
  }
  /// Sets columns c0 .. c1-1 of row r.
  void set_range(std::uint64_t r, std::uint64_t c0, std::uint64_t c1);
  /// Bits c .. c+n-1 of row r in the low bits, n <= 64; what lies beyond the last column is zero.
  [[nodiscard]] std::uint64_t bits(std::uint64_t r, std::uint64_t c, std::uint64_t n) const {
    const std::uint64_t at = c / 64;
    if (at >= words_per_row_) return 0;
    const std::uint64_t* words = words_.data() + r * words_per_row_;
    std::uint64_t value = words[at] >> (c % 64);
    if (c % 64 + n > 64 && at + 1 < words_per_row_) value |= words[at + 1] << (64 - c % 64);
    return value & low_bits(n);
  }

  [[nodiscard]] std::uint64_t count() const;
  [[nodiscard]] std::uint64_t count(std::uint64_t r, std::uint64_t c0, std::uint64_t c1) const;
  [[nodiscard]] std::uint64_t count(std::uint64_t r0, std::uint64_t r1, std::uint64_t c0,
                                    std::uint64_t c1) const;
  [[nodiscard]] std::vector<std::uint64_t> row_counts() const;
  [[nodiscard]] std::vector<std::uint64_t> col_counts() const;
  /// Counts of every tile of tile_rows x tile_cols, row-major over the grid of tiles; tiles at the
  /// edges are partial.
  [[nodiscard]] std::vector<std::uint64_t> tile_counts(std::uint64_t tile_rows,
                                                       std::uint64_t tile_cols) const;
  [[nodiscard]] double density() const;

  /// rows r0..r1 x columns c0..c1 as a matrix of its own.
  [[nodiscard]] BitMatrix window(std::uint64_t r0, std::uint64_t r1, std::uint64_t c0,
                                 std::uint64_t c1) const;
  [[nodiscard]] BitMatrix columns(std::uint64_t c0, std::uint64_t c1) const {
    return window(0, rows_, c0, c1);
  }
  [[nodiscard]] BitMatrix transposed() const;
  /// One bit for every `width` columns: whether any of them is set.
  [[nodiscard]] BitMatrix coarsened(std::uint64_t width) const;
  /// A pattern without values. Throws InputError when a side does not fit a Coordinate.
  [[nodiscard]] CsrMatrix to_csr() const;

  friend bool operator==(const BitMatrix&, const BitMatrix&) = default;

 private:
  std::uint64_t rows_ = 0;
  std::uint64_t cols_ = 0;
  std::uint64_t words_per_row_ = 0;
  std::vector<std::uint64_t> words_;
};

}  // namespace lacuna
