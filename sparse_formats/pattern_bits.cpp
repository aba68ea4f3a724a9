// SPDX-License-Identifier: Apache-2.0
#include "sparse_formats/pattern_bits.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/units.hpp"

namespace lacuna {
namespace {

/// Transposes 64 x 64 bits in place (Warren, "Hacker's Delight", 7-3; bit 0 is column 0 here).
void transpose64(std::array<std::uint64_t, 64>& block) {
  std::uint64_t mask = 0x00000000ffffffffULL;
  for (unsigned step = 32; step != 0; step >>= 1, mask ^= mask << step) {
    for (unsigned k = 0; k < 64; k = ((k | step) + 1) & ~step) {
      const std::uint64_t swap = ((block[k] >> step) ^ block[k | step]) & mask;
      block[k] ^= swap << step;
      block[k | step] ^= swap;
    }
  }
}

}  // namespace

BitMatrix::BitMatrix(std::uint64_t rows, std::uint64_t cols)
    : rows_(rows), cols_(cols), words_per_row_(ceil_div(cols, 64)) {
  constexpr std::uint64_t kMaxWords = std::uint64_t{1} << 28;
  if (words_per_row_ != 0 && rows > kMaxWords / words_per_row_) {
    throw InputError(fmt::format("a matrix of {} x {} positions is too large", rows, cols),
                     "its occupancy, a bit for each position, must fit 2 GiB");
  }
  const std::uint64_t words = rows * words_per_row_;
  words_.reserve(words);
  constexpr std::uint64_t kPiece = std::uint64_t{1} << 16;  // fresh memory takes its time
  while (words_.size() < words) {
    stop_if_requested();
    words_.resize(std::min<std::uint64_t>(words, words_.size() + kPiece));
  }
}

BitMatrix BitMatrix::full(std::uint64_t rows, std::uint64_t cols) {
  BitMatrix out(rows, cols);
  std::fill(out.words_.begin(), out.words_.end(), ~std::uint64_t{0});
  if (cols % 64 != 0) {
    for (std::uint64_t r = 0; r < rows; ++r) out.row(r).back() = low_bits(cols % 64);
  }
  return out;
}

BitMatrix BitMatrix::from_csr(const CsrMatrix& matrix) {
  BitMatrix out(matrix.rows, matrix.cols);
  for (Coordinate r = 0; r < matrix.rows; ++r) {
    const auto words = out.row(r);
    for (const Coordinate c : matrix.cols_of(r)) words[c / 64] |= std::uint64_t{1} << (c % 64);
  }
  return out;
}

BitMatrix BitMatrix::from_values(std::span<const double> values, std::uint64_t rows,
                                 std::uint64_t cols) {
  BitMatrix out(rows, cols);
  LACUNA_CHECK(values.size() == rows * cols, "{} values for {} x {} positions", values.size(), rows,
               cols);
  for (std::uint64_t r = 0; r < rows; ++r) {
    const auto words = out.row(r);
    const double* line = values.data() + r * cols;
    for (std::uint64_t c = 0; c < cols; ++c) {
      words[c / 64] |= static_cast<std::uint64_t>(line[c] != 0.0) << (c % 64);
    }
  }
  return out;
}

void BitMatrix::set_range(std::uint64_t r, std::uint64_t c0, std::uint64_t c1) {
  const auto words = row(r);
  for (std::uint64_t w = c0 / 64; w * 64 < c1; ++w) {
    const std::uint64_t low = std::max(c0, w * 64) - w * 64;
    words[w] |= low_bits(std::min<std::uint64_t>(64, c1 - w * 64)) & ~low_bits(low);
  }
}

std::uint64_t BitMatrix::count() const {
  std::uint64_t sum = 0;
  for (const std::uint64_t word : words_) sum += count_bits(word);
  return sum;
}

std::uint64_t BitMatrix::count(std::uint64_t r, std::uint64_t c0, std::uint64_t c1) const {
  if (c0 >= c1) return 0;
  const std::uint64_t* words = words_.data() + r * words_per_row_;
  const std::uint64_t first = c0 / 64;
  const std::uint64_t last = (c1 - 1) / 64;
  const std::uint64_t head = ~low_bits(c0 % 64);
  const std::uint64_t tail = low_bits((c1 - 1) % 64 + 1);
  if (first == last) return count_bits(words[first] & head & tail);
  std::uint64_t sum = count_bits(words[first] & head) + count_bits(words[last] & tail);
  for (std::uint64_t w = first + 1; w < last; ++w) sum += count_bits(words[w]);
  return sum;
}

std::uint64_t BitMatrix::count(std::uint64_t r0, std::uint64_t r1, std::uint64_t c0,
                               std::uint64_t c1) const {
  std::uint64_t sum = 0;
  for (std::uint64_t r = r0; r < r1; ++r) sum += count(r, c0, c1);
  return sum;
}

std::vector<std::uint64_t> BitMatrix::row_counts() const {
  std::vector<std::uint64_t> counts(rows_);
  for (std::uint64_t r = 0; r < rows_; ++r) counts[r] = count(r, 0, cols_);
  return counts;
}

std::vector<std::uint64_t> BitMatrix::col_counts() const {
  std::vector<std::uint64_t> counts(cols_);
  for (std::uint64_t r = 0; r < rows_; ++r) {
    const auto words = row(r);
    for (std::uint64_t w = 0; w < words.size(); ++w) {
      for (std::uint64_t left = words[w]; left != 0; left &= left - 1) {
        ++counts[w * 64 + static_cast<unsigned>(std::countr_zero(left))];
      }
    }
  }
  return counts;
}

std::vector<std::uint64_t> BitMatrix::tile_counts(std::uint64_t tile_rows,
                                                  std::uint64_t tile_cols) const {
  LACUNA_CHECK(tile_rows > 0 && tile_cols > 0, "a tile of {} x {}", tile_rows, tile_cols);
  const std::uint64_t grid_cols = ceil_div(cols_, tile_cols);
  std::vector<std::uint64_t> counts(ceil_div(rows_, tile_rows) * grid_cols);
  for (std::uint64_t r = 0; r < rows_; ++r) {
    std::uint64_t* line = counts.data() + r / tile_rows * grid_cols;
    for (std::uint64_t t = 0; t < grid_cols; ++t) {
      line[t] += count(r, t * tile_cols, std::min(cols_, (t + 1) * tile_cols));
    }
  }
  return counts;
}

double BitMatrix::density() const {
  if (rows_ == 0 || cols_ == 0) return 0;
  return static_cast<double>(count()) / (static_cast<double>(rows_) * static_cast<double>(cols_));
}

BitMatrix BitMatrix::window(std::uint64_t r0, std::uint64_t r1, std::uint64_t c0,
                            std::uint64_t c1) const {
  LACUNA_CHECK(r0 <= r1 && r1 <= rows_ && c0 <= c1 && c1 <= cols_,
               "window {}..{} x {}..{} of {} x {}", r0, r1, c0, c1, rows_, cols_);
  BitMatrix out(r1 - r0, c1 - c0);
  for (std::uint64_t r = r0; r < r1; ++r) {
    const auto words = out.row(r - r0);
    for (std::uint64_t w = 0; w < words.size(); ++w) {
      const std::uint64_t c = c0 + w * 64;
      words[w] = bits(r, c, std::min<std::uint64_t>(64, c1 - c));
    }
  }
  return out;
}

BitMatrix BitMatrix::transposed() const {
  BitMatrix out(cols_, rows_);
  std::array<std::uint64_t, 64> block{};
  for (std::uint64_t r = 0; r < rows_; r += 64) {
    const std::uint64_t height = std::min<std::uint64_t>(64, rows_ - r);
    for (std::uint64_t w = 0; w < words_per_row_; ++w) {
      for (std::uint64_t i = 0; i < 64; ++i) {
        block[i] = i < height ? words_[(r + i) * words_per_row_ + w] : 0;
      }
      transpose64(block);
      const std::uint64_t width = std::min<std::uint64_t>(64, cols_ - w * 64);
      for (std::uint64_t i = 0; i < width; ++i) {
        out.words_[(w * 64 + i) * out.words_per_row_ + r / 64] = block[i];
      }
    }
  }
  return out;
}

BitMatrix BitMatrix::coarsened(std::uint64_t width) const {
  LACUNA_CHECK(width > 0, "blocks of no columns");
  BitMatrix out(rows_, ceil_div(cols_, width));
  for (std::uint64_t r = 0; r < rows_; ++r) {
    const auto words = out.row(r);
    for (std::uint64_t b = 0; b < out.cols_; ++b) {
      const bool any = width <= 64 ? bits(r, b * width, width) != 0
                                   : count(r, b * width, std::min(cols_, (b + 1) * width)) != 0;
      words[b / 64] |= static_cast<std::uint64_t>(any) << (b % 64);
    }
  }
  return out;
}

CsrMatrix BitMatrix::to_csr() const {
  constexpr std::uint64_t kMax = std::numeric_limits<Coordinate>::max();
  if (rows_ > kMax || cols_ > kMax) {
    throw InputError(fmt::format("a matrix of {} x {} has too long a side", rows_, cols_));
  }
  CsrMatrix out;
  out.rows = static_cast<Coordinate>(rows_);
  out.cols = static_cast<Coordinate>(cols_);
  out.offsets.reserve(rows_ + 1);
  out.columns.reserve(count());
  for (std::uint64_t r = 0; r < rows_; ++r) {
    const auto words = row(r);
    for (std::uint64_t w = 0; w < words.size(); ++w) {
      for (std::uint64_t left = words[w]; left != 0; left &= left - 1) {
        out.columns.push_back(
            static_cast<Coordinate>(w * 64 + static_cast<unsigned>(std::countr_zero(left))));
      }
    }
    out.offsets.push_back(out.columns.size());
  }
  return out;
}

}  // namespace lacuna
