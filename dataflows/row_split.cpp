// SPDX-License-Identifier: Apache-2.0
#include "dataflows/row_split.hpp"

#include <algorithm>
#include <functional>
#include <numeric>

namespace lacuna {
namespace {

/// `rows` rows, of which the first `period` repeat; row r of the part is row_of(r) of the whole.
Occupancy part(const Occupancy& whole, std::uint64_t rows, std::uint64_t period,
               const std::function<std::uint64_t(std::uint64_t)>& row_of) {
  const BitMatrix& sample = whole.sample();
  period = std::min(period, rows);
  BitMatrix bits(period, whole.cols());
  for (std::uint64_t r = 0; r < period; ++r) {
    const auto from = sample.row(row_of(r) % sample.rows());
    std::copy(from.begin(), from.end(), bits.row(r).begin());
  }
  return period == rows ? Occupancy(std::move(bits)) : Occupancy::repeated(std::move(bits), rows);
}

}  // namespace

std::uint64_t RowsInTurn::rows_of(std::uint64_t rows) const {
  const std::uint64_t round = group * clusters;
  const std::uint64_t rest = rows % round, before = group * cluster;
  return rows / round * group + (rest > before ? std::min(group, rest - before) : 0);
}

Occupancy rows_in_turn(const Occupancy& whole, const RowsInTurn& turn) {
  const std::uint64_t rows = turn.rows_of(whole.rows());
  // A sample that repeats and turns that repeat together repeat after both.
  std::uint64_t period = rows;
  if (!whole.is_explicit()) {
    const std::uint64_t sample = whole.sample().rows();
    period = sample == 1 ? 1 : std::lcm(sample, turn.group * turn.clusters) / turn.clusters;
  }
  return part(whole, rows, period, [&](std::uint64_t r) { return turn.row(r); });
}

Occupancy rows_between(const Occupancy& whole, std::uint64_t first, std::uint64_t last) {
  const std::uint64_t period = whole.is_explicit() ? last - first : whole.sample().rows();
  return part(whole, last - first, period, [&](std::uint64_t r) { return first + r; });
}

}  // namespace lacuna
