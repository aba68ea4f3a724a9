// SPDX-License-Identifier: Apache-2.0
// What a point of the sparsity dial costs on a machine: the decode step of its experts, simulated.
#pragma once

#include <cstdint>
#include <vector>

#include "arch/spec/fabric_spec.hpp"
#include "run/result.hpp"
#include "workloads/models/sparsity_dial.hpp"

namespace lacuna {

/// The law knows sizes, no shapes; these are parameters. The width of an expert follows: N / (E
/// layers 3 hidden), in whole columns.
struct DialShape {
  std::uint64_t layers = 24;
  std::uint64_t hidden = 1024;
};

struct DialCost {
  std::uint64_t width = 0;  // of an expert's gate, up and down
  double step_cycles = 0;   // of the step: what a token waits for
  double cycles = 0;        // of the step over its tokens: throughput
  double dram_bytes = 0;    // of a token
  double picojoules = 0;    // of a token
  /// Weights of the shape over those of the law, less one: what whole columns cost.
  double size_error = 0;
};

/// The step as operations: `layers` times gate, up, activation and down of the experts that a
/// uniform step of `batch` tokens touches, as balanced as whole tokens allow. Throws InputError
/// (fields "layers", "hidden") for shapes that leave an expert no column.
[[nodiscard]] std::vector<DialCost> dial_costs(const FabricSpec& machine,
                                               const DialOptions& options,
                                               const std::vector<DialPoint>& points,
                                               const DialShape& shape);

}  // namespace lacuna
