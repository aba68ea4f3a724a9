// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace lacuna {

/// The ceil(q * n)-th smallest value (1-based; q = 0 gives the smallest). `values` must not be
/// empty and is reordered. This is the quantile that Swiftiles' "90 % of tiles fit" asks for: at
/// least a share q of the values is no larger.
[[nodiscard]] std::uint64_t quantile(std::vector<std::uint64_t>& values, double q);
[[nodiscard]] double quantile(std::vector<double>& values, double q);
/// Likewise of values in ascending order, which stay as they are.
[[nodiscard]] std::uint64_t quantile_of_sorted(std::span<const std::uint64_t> values, double q);

[[nodiscard]] double mean(std::span<const double> values);
[[nodiscard]] double geometric_mean(std::span<const double> values);

}  // namespace lacuna
