// SPDX-License-Identifier: Apache-2.0
// An operation of a model that is no matrix product, on a MAC-array machine.
#pragma once

#include "run/fabric/run.hpp"

namespace lacuna {

/// Bytes that it moves: off chip, and out of and into the global buffer.
struct VectorTraffic {
  double dram_read = 0, dram_write = 0;
  double buffer_read = 0, buffer_write = 0;
};

/// Streams the bytes through DRAM and the buffer's port. Nothing is charged for arithmetic.
[[nodiscard]] RunResult run_vector(const FabricSpec& machine, const VectorTraffic& traffic,
                                   const FabricOptions& options);

}  // namespace lacuna
