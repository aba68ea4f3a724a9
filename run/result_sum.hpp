// SPDX-License-Identifier: Apache-2.0
// Results of operations that run one after another, added up.
#pragma once

#include <string>
#include <vector>

#include "run/result.hpp"
#include "sim/timeline.hpp"

namespace lacuna {

/// Adds `times` runs of one operation to a total: cycles, traffic, actions, energy, MACs, and what
/// stands beside them, each name by its own rule. Throws ModelError for a name that has none.
void add_result(RunResult& total, const RunResult& one, std::uint64_t times);

/// One operation of a step: what its run says of it, for `times` executions one after another.
[[nodiscard]] OperationReport operation_report(const std::string& name, const RunResult& one,
                                               std::uint64_t times);

/// Of a total: the busiest block, SystemC's events.
void finish_total(RunResult& total);

/// What a run drew, and how much of it had no room.
void add_timeline(const sim::Timeline& timeline, RunResult& result);

/// A Chrome trace of the operations over time, a row for each group; blocks one after another,
/// layer by layer.
[[nodiscard]] std::string operations_timeline(const std::vector<OperationReport>& operations);

}  // namespace lacuna
