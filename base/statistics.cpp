// SPDX-License-Identifier: Apache-2.0
#include "base/statistics.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"

namespace lacuna {

namespace {

/// Place, in ascending order, of the ceil(q * n)-th smallest of n values.
std::size_t rank_of(double q, std::size_t n) {
  LACUNA_CHECK(n > 0 && q >= 0 && q <= 1, "quantile {} of {} values", q, n);
  // 1e-9 keeps a share like 0.9 * 100 = 90.000000000000014 from asking for one more.
  const double wanted = std::ceil(q * static_cast<double>(n) - 1e-9);
  return static_cast<std::size_t>(std::max(1.0, wanted)) - 1;
}

template <class Value>
Value nth(std::vector<Value>& values, double q) {
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(rank_of(q, values.size()));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

}  // namespace

std::uint64_t quantile(std::vector<std::uint64_t>& values, double q) {
  return nth(values, q);
}

double quantile(std::vector<double>& values, double q) {
  return nth(values, q);
}

std::uint64_t quantile_of_sorted(std::span<const std::uint64_t> values, double q) {
  return values[rank_of(q, values.size())];
}

double mean(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

double geometric_mean(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += std::log(value);
  return values.empty() ? 0 : std::exp(sum / static_cast<double>(values.size()));
}

}  // namespace lacuna
