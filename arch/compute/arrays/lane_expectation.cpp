// SPDX-License-Identifier: Apache-2.0
#include "arch/compute/arrays/lane_expectation.hpp"

#include <cmath>

#include "base/units.hpp"

namespace lacuna {
namespace {

template <class Value>
double expectation(double density, std::uint64_t tile, Value&& value) {
  if (density <= 0) return value(0);
  if (density >= 1) return value(tile);
  const auto t = static_cast<double>(tile);
  double sum = 0;
  for (std::uint64_t n = 0; n <= tile; ++n) {
    const auto x = static_cast<double>(n);
    const double log_p = std::lgamma(t + 1) - std::lgamma(x + 1) - std::lgamma(t - x + 1) +
                         x * std::log(density) + (t - x) * std::log1p(-density);
    sum += std::exp(log_p) * value(n);
  }
  return sum;
}

}  // namespace

double lane_utilisation(double density, std::uint64_t tile, std::uint64_t lanes) {
  return expectation(density, tile, [lanes](std::uint64_t n) {
    return n == 0 ? 0.0 : static_cast<double>(n) / static_cast<double>(lanes * ceil_div(n, lanes));
  });
}

double expected_groups(double density, std::uint64_t tile, std::uint64_t lanes) {
  return expectation(density, tile,
                     [lanes](std::uint64_t n) { return static_cast<double>(ceil_div(n, lanes)); });
}

}  // namespace lacuna
