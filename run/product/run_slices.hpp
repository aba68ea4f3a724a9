// SPDX-License-Identifier: Apache-2.0
// Products one after another as one result: the slices of a batch.
#pragma once

#include <functional>
#include <vector>

#include "arch/description/read_spec.hpp"
#include "run/product/run.hpp"

namespace lacuna {

/// On a machine of any kind. Of several slices cycles, traffic, counts and energy are sums, none
/// fetches ahead for the next; `check` is passed when each is.
[[nodiscard]] RunResult run_slices(const AnyMachine& machine,
                                   const std::vector<ProductWorkload>& slices,
                                   const ProductOptions& options);

}  // namespace lacuna
