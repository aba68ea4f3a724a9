// SPDX-License-Identifier: Apache-2.0
// A finished run against what its machine cannot exceed (arch/limits). Ports, buffers and
// multiplies of one simulation are compared where it ends; here come the operands and the prices,
// and the sums over several operations. Throws ModelError "physical limit broken: ...".
#pragma once

#include <vector>

#include "arch/energy/component.hpp"
#include "arch/limits/physical_limits.hpp"
#include "arch/system/array_system.hpp"
#include "dataflows/extensor_program.hpp"
#include "dataflows/fabric_compile.hpp"
#include "run/result.hpp"

namespace lacuna {

/// From the operands alone: nonzeros that meet one of the other operand, once, as wide as they are
/// stored; whole tensors on machines that store zeros; nothing of what is held on chip.
[[nodiscard]] LeastTraffic least_traffic(const MachineSpec& machine,
                                         const ProductOperands& operands);
[[nodiscard]] LeastTraffic least_traffic(const FabricSpec& machine,
                                         const std::vector<FabricInstance>& products);

/// What of a product comes from memory or goes there lies in it.
[[nodiscard]] InMemory in_memory(const LeastTraffic& least);
[[nodiscard]] LeastTraffic least_traffic(const RowwiseSpec& machine, const CsrMatrix& leader,
                                         const CsrMatrix& follower);
/// Of a sampled product.
[[nodiscard]] LeastTraffic least_traffic(const RowwiseSpec& machine, const SampledCounts& touched);

/// Traffic and energy of one run.
void check_run_limits(const MachineSpec& machine, const ComponentSet& components,
                      const LeastTraffic& least, const RunResult& result);
void check_run_limits(const FabricSpec& machine, const ComponentSet& components,
                      const LeastTraffic& least, ArrayTime time, const RunResult& result);

void check_run_limits(const RowwiseSpec& machine, const ComponentSet& components,
                      const LeastTraffic& least, const RunResult& result);

/// The sum of several operations, each of which has been compared by itself.
void check_sum_limits(const MachineSpec& machine, const RunResult& total);
void check_sum_limits(const FabricSpec& machine, const RunResult& total);

}  // namespace lacuna
