// SPDX-License-Identifier: Apache-2.0
// Which operations of its block an operation waits for before it reads: what the edges of the graph
// say, and what they do not need to say while operations run one after another (a cache is appended
// to before it is read, experts are chosen before their weights are fetched).
#pragma once

#include <optional>
#include <vector>

#include "workloads/operation_graph.hpp"

namespace lacuna {

/// What must be over before something is fetched.
struct ReadsAfter {
  bool from_start = false;  // nothing: it is in memory when the step begins
  /// The last operation of the same block; none: all blocks before, and repetitions of this one.
  std::optional<OperationId> last = {};
};

struct OperationReads {
  /// Of an einsum its operands 1 and 2; of another operation all that it reads, twice.
  ReadsAfter streamed, stationary;
};

/// One entry for each vertex.
[[nodiscard]] std::vector<OperationReads> reads_of(const OperationGraph& graph);

}  // namespace lacuna
