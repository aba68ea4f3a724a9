// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/program/statistics.hpp"
#include "sim/meter.hpp"

namespace lacuna {

[[nodiscard]] inline PortUse use_of(const sim::PortMeter& meter) {
  return {meter.total(), meter.transfers(), meter.fullest(), meter.fullest_transfers(), {}};
}

}  // namespace lacuna
