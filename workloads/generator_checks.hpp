// SPDX-License-Identifier: Apache-2.0
// Checks and building blocks that the matrix generators share.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "base/interrupt.hpp"
#include "sparse_formats/csr.hpp"

namespace lacuna::detail {

/// Throws InputError, with the place "<generator>: <parameter>", unless 1 <= value <= largest.
Coordinate checked_extent(const char* generator, const char* parameter, std::uint64_t value);
/// Throws InputError unless 0 <= value <= 1.
double checked_share(const char* generator, const char* parameter, double value);
/// Throws InputError when a * b exceeds kLargestGenerated; returns the product.
std::uint64_t checked_product(const char* generator, const char* what, std::uint64_t a,
                              std::uint64_t b);
[[noreturn]] void bad_parameter(const char* generator, const char* parameter,
                                const std::string& problem, const std::string& suggestion = {});

/// The pattern with a nonzero at (key / cols, key % cols) for each of the ascending, distinct keys.
CsrMatrix from_keys(Coordinate rows, Coordinate cols, const std::vector<std::uint64_t>& keys);

/// Keys from `draw` until `count` distinct ones are there, ascending: the set that drawing one by
/// one until then gives. Fewer come back when `most_draws` did not suffice.
template <class Draw>
std::vector<std::uint64_t> distinct_keys(std::uint64_t count, std::uint64_t most_draws,
                                         Draw&& draw) {
  std::vector<std::uint64_t> keys;
  keys.reserve(count);
  // Each round draws as many as are missing, so it never draws past the one that completes the set.
  while (keys.size() < count && most_draws > 0) {
    const auto known = static_cast<std::ptrdiff_t>(keys.size());
    for (; keys.size() < count && most_draws > 0; --most_draws) {
      stop_if_requested();
      const std::uint64_t key = draw();
      if (!std::binary_search(keys.begin(), keys.begin() + known, key)) keys.push_back(key);
    }
    std::sort(keys.begin() + known, keys.end());
    std::inplace_merge(keys.begin(), keys.begin() + known, keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  }
  return keys;
}

}  // namespace lacuna::detail
