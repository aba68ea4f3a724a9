// SPDX-License-Identifier: Apache-2.0
// What a point of a sweep is known by: everything that its result follows from.
#pragma once

#include <string>

#include "run/plan.hpp"

namespace lacuna {

/// A hash of the resolved configuration, of the files it names (and that these name), of the
/// shipped data and of the program.
[[nodiscard]] std::string content_of(const RunPlan& plan);

/// The part that all points share, computed once: to be asked for before processes are forked.
const std::string& content_of_program();

}  // namespace lacuna
