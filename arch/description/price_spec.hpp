// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/description/machine.hpp"
#include "arch/spec/price_spec.hpp"

namespace lacuna::description {

/// What the machine says of prices beside its parts.
[[nodiscard]] PriceSpec price_spec(const Machine& machine);

}  // namespace lacuna::description
