// SPDX-License-Identifier: Apache-2.0
// How long a step takes at least on a machine of which no more is known than its peak rates.
#pragma once

#include <string_view>
#include <vector>

#include "workloads/operation_graph.hpp"

namespace lacuna {

struct PeakRates {
  double flops_per_second = 0;
  double bytes_per_second = 0;
};

struct StepSchedule {
  double seconds = 0;                // of the step, all repetitions
  std::vector<OperationId> longest;  // what sets it, in order: waiting for data or for a rate

  // What each alone would take.
  double chain_seconds = 0;       // the longest chain, every operation with the machine to itself
  double bandwidth_seconds = 0;   // all bytes
  double arithmetic_seconds = 0;  // all FLOPs

  /// The largest of the three: "dependencies", "bandwidth" or "arithmetic".
  [[nodiscard]] std::string_view limiter() const;
};

/// A list schedule. An operation is ready when all it reads is written; it then needs its bytes
/// from the one memory and its FLOPs from the one pool of arithmetic, both at once. Each of the two
/// serves operations one after another in the order in which they got ready, so operations that run
/// together share the rates and the step takes no less than all bytes over the bandwidth, all FLOPs
/// over the peak, and its longest chain. Blocks follow one another. Rates must be positive.
[[nodiscard]] StepSchedule schedule_step(const OperationGraph& graph, const PeakRates& rates);

}  // namespace lacuna
