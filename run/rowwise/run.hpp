// SPDX-License-Identifier: Apache-2.0
// One sparse product on a machine of row-wise products, from operands to a complete result.
#pragma once

#include "arch/spec/rowwise_spec.hpp"
#include "run/product/run.hpp"

namespace lacuna {

/// Of the machine's operands.
[[nodiscard]] NumberFormat format_of(const RowwiseSpec& machine);

[[nodiscard]] RunResult run_product(const RowwiseSpec& machine, const ProductWorkload& workload,
                                    const ProductOptions& options);

}  // namespace lacuna
