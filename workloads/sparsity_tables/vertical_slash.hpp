// SPDX-License-Identifier: Apache-2.0
// The pairs that one head of sparse prefill attention keeps (MInference, arXiv 2407.02490): some
// key columns ("vertical") and some diagonals ("slash") below the causal diagonal.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace lacuna::sparsity {

/// Columns are key positions; diagonal d holds the pairs with query - key = d. Both ascending and
/// distinct, below the length.
struct VerticalSlash {
  std::uint32_t length = 0;
  std::vector<std::uint32_t> columns;
  std::vector<std::uint32_t> diagonals;
};
/// Heads that keep the same lines share them.
using HeadLines = std::shared_ptr<const VerticalSlash>;

/// (query, key) pairs kept under the causal mask: sum of (T - c) over columns and of (T - d) over
/// diagonals, minus the crossings (c, d) with c + d < T, which lie on both. Exact.
[[nodiscard]] std::uint64_t kept_pairs(const VerticalSlash& lines);
/// T (T + 1) / 2.
[[nodiscard]] constexpr std::uint64_t causal_pairs(std::uint64_t length) {
  return length * (length + 1) / 2;
}
/// Keys kept by one query, ascending.
[[nodiscard]] std::vector<std::uint32_t> keys_of(const VerticalSlash& lines, std::uint32_t query);
/// Keys that at least one of the queries first .. first + count - 1 keeps. Exact.
[[nodiscard]] std::uint64_t keys_of_block(const VerticalSlash& lines, std::uint32_t first,
                                          std::uint32_t count);

}  // namespace lacuna::sparsity
