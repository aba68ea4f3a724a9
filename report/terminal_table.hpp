// SPDX-License-Identifier: Apache-2.0
// The result as a table for people: one column per run, side by side, with each run's values over
// those of the first.
#pragma once

#include <string>
#include <vector>

#include "run/result.hpp"

namespace lacuna::report {

/// Lines of at most `width` columns (when that is 60 or more), ending with a line break. Runs that
/// do not fit side by side continue in a second table below. `color` adds ANSI sequences, and
/// nothing else changes. Names are cleaned of control characters.
[[nodiscard]] std::string terminal_table(const std::vector<RunResult>& results, bool color,
                                         unsigned width);

}  // namespace lacuna::report
