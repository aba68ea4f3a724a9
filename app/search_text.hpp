// SPDX-License-Identifier: Apache-2.0
// What `lacuna sweep` says of a space and of the front that is found in it.
#pragma once

#include <string>

#include "study/sweep/summary.hpp"

namespace lacuna {

/// How many points there are, and which of them are run.
[[nodiscard]] std::string points_text(const SweepSpec& spec);

/// The front's hypervolume, with the points between which it is taken: the best and the worst of
/// each objective over the points that hold.
[[nodiscard]] std::string hypervolume_text(const SweepSpec& spec, const SweepSummary& summary);

}  // namespace lacuna
