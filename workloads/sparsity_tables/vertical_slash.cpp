// SPDX-License-Identifier: Apache-2.0
#include "workloads/sparsity_tables/vertical_slash.hpp"

#include <algorithm>

namespace lacuna::sparsity {

std::uint64_t kept_pairs(const VerticalSlash& lines) {
  const std::uint64_t length = lines.length;
  std::uint64_t kept = 0;
  for (const std::uint64_t c : lines.columns) kept += length - c;
  for (const std::uint64_t d : lines.diagonals) kept += length - d;
  // Columns ascend, so the diagonals that still cross one only become fewer.
  std::size_t crossing = lines.diagonals.size();
  for (const std::uint64_t c : lines.columns) {
    while (crossing > 0 && c + lines.diagonals[crossing - 1] >= length) --crossing;
    kept -= crossing;
  }
  return kept;
}

std::vector<std::uint32_t> keys_of(const VerticalSlash& lines, std::uint32_t query) {
  std::vector<std::uint32_t> keys;
  for (const std::uint32_t c : lines.columns) {
    if (c <= query) keys.push_back(c);
  }
  for (const std::uint32_t d : lines.diagonals) {
    if (d <= query) keys.push_back(query - d);
  }
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

std::uint64_t keys_of_block(const VerticalSlash& lines, std::uint32_t first, std::uint32_t count) {
  const std::uint64_t end = std::uint64_t{first} + count;  // of the queries
  // Diagonal d covers the keys from first - d to end - 1 - d; they move down as d grows.
  std::uint64_t keys = 0;
  std::uint64_t column = lines.columns.size();  // columns from here on are counted or too late
  while (column > 0 && lines.columns[column - 1] >= end) --column;
  std::uint64_t covered_from = end;  // keys from here up have been looked at
  for (const std::uint64_t d : lines.diagonals) {
    if (d >= end) break;
    const std::uint64_t band_end = std::min(end - d, covered_from);
    const std::uint64_t band_begin = d > first ? 0 : first - d;
    for (; column > 0 && lines.columns[column - 1] >= band_end; --column) ++keys;
    if (band_end > band_begin) keys += band_end - band_begin;
    while (column > 0 && lines.columns[column - 1] >= band_begin) --column;
    covered_from = std::min(covered_from, band_begin);
  }
  return keys + column;
}

}  // namespace lacuna::sparsity
