// SPDX-License-Identifier: Apache-2.0
// Operations on a machine for sparse products (ExTensor's class): each distinct product once, with
// explicit operands; what is no product moves its bytes through DRAM.
#pragma once

#include "run/operation/i_operations.hpp"
#include "run/product/run.hpp"

namespace lacuna {

/// `machine` must outlive it. Products have at most kMostExplicitNonzeros (explicit_rows.hpp) in
/// their operands.
[[nodiscard]] std::unique_ptr<IOperations> make_operations(const MachineSpec& machine,
                                                           const ProductOptions& options);

}  // namespace lacuna
