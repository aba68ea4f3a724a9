// SPDX-License-Identifier: Apache-2.0
// A network on one machine: its layers in their order, every tensor from DRAM and back.
#pragma once

#include "run/fabric/operations.hpp"
#include "run/network/workload.hpp"
#include "run/product/operations.hpp"

namespace lacuna {

/// Throws InputError for a layer that is too large for the machine.
[[nodiscard]] RunResult run_network(IOperations& machine, const NetworkWorkload& workload,
                                    bool timeline);

template <class Spec, class Options = ProductOptions>
[[nodiscard]] RunResult run_network(const Spec& machine, const NetworkWorkload& workload,
                                    const Options& options) {
  return run_network(*make_operations(machine, options), workload, options.timeline);
}

}  // namespace lacuna
