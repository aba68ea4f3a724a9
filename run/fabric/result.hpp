// SPDX-License-Identifier: Apache-2.0
// From the counts and the timing of a MAC-array run to what a result reports, with the checks that
// they agree.
#pragma once

#include "arch/energy/component.hpp"
#include "arch/spec/fabric_spec.hpp"
#include "arch/system/array_system.hpp"
#include "run/result.hpp"

namespace lacuna {

/// Statistics (but for MACs, and for time that was left out) and energy. Throws ModelError when
/// bytes or cycles do not agree.
void fill_fabric_result(const FabricSpec& spec, const ComponentSet& components, const ArrayRun& run,
                        ArrayTime time, RunResult& result);

[[nodiscard]] std::uint64_t whole(double x);  // to the nearest
[[nodiscard]] Cycles cycles_up(double cycles);

}  // namespace lacuna
