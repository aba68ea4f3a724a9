// SPDX-License-Identifier: Apache-2.0
// Layers that are pruned already, pruned once more to what a machine's patterns allow.
#pragma once

#include <string>

#include "arch/spec/fabric_spec.hpp"
#include "dataflows/fabric_compile.hpp"

namespace lacuna {

/// At most what the sparsest pattern of the machine allows that keeps the layer's density. Files of
/// pruned layers hold no values: magnitudes are drawn, and what is pruned stays pruned. `kept`
/// becomes the share of the layer's nonzeros.
[[nodiscard]] FabricInstance prune_again(const FabricSpec& machine, const std::string& layer,
                                         const FabricInstance& product, std::uint64_t seed,
                                         double& kept);

}  // namespace lacuna
