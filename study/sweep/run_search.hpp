// SPDX-License-Identifier: Apache-2.0
// A sweep whose points are chosen as their results come in. A generation runs over the processes as
// the points of a sweep do, into the same store, so that a killed search goes on where it was.
#pragma once

#include <filesystem>

#include "study/sweep/run_sweep.hpp"
#include "study/sweep/summary.hpp"

namespace lacuna {

/// Runs search->budget points of a spec that is searched(); other points that the store has of the
/// sweep are forgotten, their results stay. Options have no shard. Throws InputError, Interrupted.
SweepProgress run_search(const SweepSpec& spec, const std::filesystem::path& store,
                         const std::filesystem::path& scratch, const SweepOptions& options);

/// What a search compares: the costs of a point that holds. One that breaks a constraint is worse
/// in everything than one that breaks fewer, and one that failed, or has an objective that is no
/// finite number, than all others.
[[nodiscard]] std::vector<double> worth_of(const SweepJudge& judge, const SweepResult& result);

}  // namespace lacuna
