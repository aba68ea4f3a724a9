// SPDX-License-Identifier: Apache-2.0
// What `lacuna sweep` says when it is done.
#pragma once

#include <string>

#include "study/sweep/perturb.hpp"
#include "study/sweep/store.hpp"
#include "study/sweep/summary.hpp"

namespace lacuna {

/// How many points hold, why others failed, and the first of the front.
[[nodiscard]] std::string summary_text(const SweepSpec& spec, SweepStore& store,
                                       const SweepSummary& summary);

/// How much of the front stays, and which prices change it most.
[[nodiscard]] std::string perturbation_text(const Perturbation& found, double by);

}  // namespace lacuna
