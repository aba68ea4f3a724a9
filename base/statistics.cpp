// SPDX-License-Identifier: Apache-2.0
#include "base/statistics.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"

namespace lacuna {

std::uint64_t quantile(std::vector<std::uint64_t>& values, double q) {
  LACUNA_CHECK(!values.empty() && q >= 0 && q <= 1, "quantile {} of {} values", q, values.size());
  // 1e-9 keeps a share like 0.9 * 100 = 90.000000000000014 from asking for one more.
  const double wanted = std::ceil(q * static_cast<double>(values.size()) - 1e-9);
  const auto rank = static_cast<std::size_t>(std::max(1.0, wanted)) - 1;
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(rank);
  std::nth_element(values.begin(), at, values.end());
  return *at;
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
