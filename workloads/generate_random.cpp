// SPDX-License-Identifier: Apache-2.0
// Matrices without structure, or with structure in blocks and bands.
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <vector>

#include "base/interrupt.hpp"
#include "base/random.hpp"
#include "workloads/generator_checks.hpp"
#include "workloads/generators.hpp"

namespace lacuna {
namespace {

/// round(density * population), refused above the limit before anything is allocated from it.
std::uint64_t share_of(const char* generator, double density, std::uint64_t population) {
  detail::checked_share(generator, "density", density);
  const double count = std::round(density * static_cast<double>(population));
  if (count > static_cast<double>(kLargestGenerated)) {
    detail::bad_parameter(
        generator, "density",
        fmt::format("{:.0f} nonzeros are more than {}", count, kLargestGenerated));
  }
  return std::min(static_cast<std::uint64_t>(count), population);
}

/// `count` distinct numbers of [0, population), ascending.
std::vector<std::uint64_t> sample(RandomStream& random, std::uint64_t population,
                                  std::uint64_t count) {
  const auto draw = [&] { return random.below(population); };
  const auto without_limit = std::numeric_limits<std::uint64_t>::max();
  if (count <= population / 2) return detail::distinct_keys(count, without_limit, draw);
  // Fuller than half: draw the gaps, so that a draw always has an even chance to be new.
  const auto gaps = detail::distinct_keys(population - count, without_limit, draw);
  std::vector<std::uint64_t> keys;
  keys.reserve(count);
  auto gap = gaps.begin();
  for (std::uint64_t key = 0; key < population; ++key) {
    if (gap != gaps.end() && *gap == key) {
      ++gap;
    } else {
      keys.push_back(key);
    }
  }
  return keys;
}

}  // namespace

CsrMatrix uniform_matrix(std::uint64_t rows, std::uint64_t cols, double density,
                         std::uint64_t seed) {
  const Coordinate m = detail::checked_extent("uniform", "rows", rows);
  const Coordinate n = detail::checked_extent("uniform", "cols", cols);
  const std::uint64_t count = share_of("uniform", density, rows * cols);
  RandomStream random(seed, "uniform");
  return detail::from_keys(m, n, sample(random, rows * cols, count));
}

CsrMatrix banded_matrix(std::uint64_t rows, std::uint64_t half_bandwidth, double fill,
                        std::uint64_t seed) {
  const Coordinate n = detail::checked_extent("banded", "rows", rows);
  detail::checked_share("banded", "fill", fill);
  const std::uint64_t half = std::min<std::uint64_t>(half_bandwidth, rows - 1);
  detail::checked_product("banded", "rows x (2 half-bandwidth + 1)", rows, 2 * half + 1);
  CsrMatrix matrix;
  matrix.rows = matrix.cols = n;
  matrix.offsets.reserve(rows + 1);
  RandomStream random(seed, "banded");
  for (std::uint64_t row = 0; row < rows; ++row) {
    stop_if_requested();
    const std::uint64_t first = row > half ? row - half : 0;
    const std::uint64_t last = std::min(row + half, rows - 1);
    for (std::uint64_t col = first; col <= last; ++col) {
      if (col == row || random.uniform() < fill) {
        matrix.columns.push_back(static_cast<Coordinate>(col));
      }
    }
    matrix.offsets.push_back(matrix.columns.size());
  }
  return matrix;
}

CsrMatrix block_diagonal(std::uint64_t blocks, std::uint64_t size, double density,
                         std::uint64_t seed) {
  detail::checked_extent("block-diagonal", "blocks", blocks);
  detail::checked_extent("block-diagonal", "size", size);
  const std::uint64_t rows =
      detail::checked_product("block-diagonal", "blocks x size", blocks, size);
  const std::uint64_t count = share_of("block-diagonal", density, size * size);
  detail::checked_product("block-diagonal", "blocks x nonzeros of a block", blocks, count);
  CsrMatrix matrix;
  matrix.rows = matrix.cols = static_cast<Coordinate>(rows);
  matrix.offsets.reserve(rows + 1);
  matrix.columns.reserve(blocks * count);
  RandomStream random(seed, "block diagonal");
  for (std::uint64_t block = 0; block < blocks; ++block) {
    const auto keys = sample(random, size * size, count);
    auto key = keys.begin();
    for (std::uint64_t row = 0; row < size; ++row) {
      for (; key != keys.end() && *key / size == row; ++key) {
        matrix.columns.push_back(static_cast<Coordinate>(block * size + *key % size));
      }
      matrix.offsets.push_back(matrix.columns.size());
    }
  }
  return matrix;
}

}  // namespace lacuna
