// SPDX-License-Identifier: Apache-2.0
// The front of a space that is too large to run: NSGA-II (Deb et al., IEEE Trans. Evolutionary
// Computation 6(2), 2002; libpagmo's) over the digits of points' numbers, each a whole-number
// variable. Knows nothing of machines: what a point is worth is asked for, a generation at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "study/sweep/spec.hpp"

namespace lacuna {

/// What points are worth, in their order, in each objective: the less the better, all finite.
using PointsWorth =
    std::function<std::vector<std::vector<double>>(const std::vector<std::uint64_t>& numbers)>;

/// Asks for exactly `search.budget` points, none of them twice; which ones follows from the seed
/// and the answers alone. `digits` as digits_of() gives them; the space is larger than the budget.
void search_points(const SweepSearch& search, const std::vector<std::uint64_t>& digits,
                   std::size_t objectives, const PointsWorth& worth);

}  // namespace lacuna
