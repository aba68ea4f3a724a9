// SPDX-License-Identifier: Apache-2.0
// Results as comma-separated tables (RFC 4180, lines end with \n): one wide table for
// spreadsheets, and long ones, one value per row, that the plots read. Units are part of the column
// names; doubles read back to the same value; what was not measured is left empty.
#pragma once

#include <string>
#include <vector>

#include "run/result.hpp"

namespace lacuna::report {

/// One row per run. Columns that only some runs have (a component, a level) appear once, where the
/// first run that has them puts them.
[[nodiscard]] std::string results_csv(const std::vector<RunResult>& results);

// The long tables begin with machine_index (1-based, as in the report), machine and workload. Names
// in them are on one line (control characters become spaces), because gnuplot reads line by line.
// `series` numbers what a plot draws in one colour.

/// ..., series, component, energy_pj, energy_fraction.
[[nodiscard]] std::string energy_csv(const std::vector<RunResult>& results);
/// ..., series, level, tensor, direction (read or write), traffic_bytes. The series are tensor and
/// direction, the same at every level; rows of nothing are left out.
[[nodiscard]] std::string traffic_csv(const std::vector<RunResult>& results);
/// ..., series, operand, strategy, quantile, occupancy_bytes, share_bytes, occupancy_over_share:
/// the share of tiles that are no larger. A series is one operand of one run.
[[nodiscard]] std::string occupancy_csv(const std::vector<RunResult>& results);
/// ..., series, state, pe_cycles, pe_cycle_fraction.
[[nodiscard]] std::string stalls_csv(const std::vector<RunResult>& results);
/// ..., pe, rank (1 for the most loaded), pes, busy_cycles, busy_fraction; sorted by rank.
[[nodiscard]] std::string pe_load_csv(const std::vector<RunResult>& results);

/// ..., group, block, operation, times, products, cycles, cycles_bound, bound, macs, weight_bytes,
/// cache_bytes, activation_bytes, energy_pj: of a model's step; everything but `products` is over
/// all `times` executions.
[[nodiscard]] std::string operations_csv(const std::vector<RunResult>& results);
/// ..., series, group, cycles, energy_pj: the same by group of operations, which is the series.
[[nodiscard]] std::string operation_groups_csv(const std::vector<RunResult>& results);
[[nodiscard]] std::vector<std::string> operation_series(const std::vector<RunResult>& results);

/// One stripe of the stacked plots and its place in the `series` column (1-based: index + 1).
[[nodiscard]] std::vector<std::string> energy_series(const std::vector<RunResult>& results);
/// "A read", "B read", "Z write", ...: what DRAM moves comes first.
[[nodiscard]] std::vector<std::string> traffic_series(const std::vector<RunResult>& results);

}  // namespace lacuna::report
