// SPDX-License-Identifier: Apache-2.0
// Operations on a machine of arrays.
#pragma once

#include "run/fabric/run.hpp"
#include "run/operation/i_operations.hpp"

namespace lacuna {

/// `machine` must outlive it. Throws InputError for an energy table that lacks actions.
[[nodiscard]] std::unique_ptr<IOperations> make_operations(const FabricSpec& machine,
                                                           const FabricOptions& options);

}  // namespace lacuna
