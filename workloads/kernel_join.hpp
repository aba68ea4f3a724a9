// SPDX-License-Identifier: Apache-2.0
// Two operands multiplied place by place, where a third has nonzeros: rows of a Khatri-Rao product.
#pragma once

#include "workloads/kernel.hpp"

namespace lacuna {

/// x * y over the ranks of both, for those coordinates of `lead` that it shares with either at
/// which it has a nonzero. Throws InputError for more than 64,000,000 nonzeros.
[[nodiscard]] KernelOperand join(const KernelOperand& lead, const KernelOperand& x,
                                 const KernelOperand& y);

}  // namespace lacuna
