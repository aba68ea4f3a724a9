// SPDX-License-Identifier: Apache-2.0
// The gnuplot scripts of the figures. Each is empty when the results hold nothing to draw.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "run/result.hpp"

namespace lacuna::report {

/// Stacked horizontal bars, one per run: names of any length stay readable.
[[nodiscard]] std::string energy_script(const std::vector<RunResult>& results);
[[nodiscard]] std::string traffic_script(const std::vector<RunResult>& results);
[[nodiscard]] std::string stalls_script(const std::vector<RunResult>& results);
/// Of a model's step: cycles, and energy, by group of operations.
[[nodiscard]] std::string operation_time_script(const std::vector<RunResult>& results);
[[nodiscard]] std::string operation_energy_script(const std::vector<RunResult>& results);
/// Share of tiles no larger than x, x being occupancy over the operand's share of the buffer.
[[nodiscard]] std::string occupancy_script(const std::vector<RunResult>& results);
/// Busy share of each processing element, the most loaded first.
[[nodiscard]] std::string pe_load_script(const std::vector<RunResult>& results);

}  // namespace lacuna::report
