// SPDX-License-Identifier: Apache-2.0
// How much of the space of objectives a front covers (Zitzler and Thiele, IEEE Trans. Evolutionary
// Computation 3(4), 1999): one number by which two fronts compare, given one reference point.
#pragma once

#include <cstddef>
#include <vector>

#include "study/sweep/pareto.hpp"

namespace lacuna {

/// The share of the box between `best` and `reference` in which some point of the front is no
/// worse; 0 to 1. All are costs, the less the better. Parts of a point outside of the box do not
/// count; an objective in which the box has no extent is left out.
[[nodiscard]] double hypervolume_share(const std::vector<ParetoFront::Member>& front,
                                       const std::vector<double>& best,
                                       const std::vector<double>& reference);

/// Whether the share of so many points takes moments: beyond three objectives the time to compute
/// it grows fast.
[[nodiscard]] bool hypervolume_is_quick(std::size_t points, std::size_t objectives);

}  // namespace lacuna
