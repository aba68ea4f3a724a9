// SPDX-License-Identifier: Apache-2.0
// Two runs compared: in everything that must not depend on time, and in everything.
#pragma once

#include "arch/machine/machine.hpp"
#include "tests/catch.hpp"

namespace lacuna::test {

/// Everything that must not depend on time.
inline void check_same_counts(const MachineStatistics& x, const MachineStatistics& y) {
  REQUIRE(x.traffic == y.traffic);
  REQUIRE(x.actions == y.actions);
  REQUIRE(x.iterations == y.iterations);
  REQUIRE(x.macs_effectual == y.macs_effectual);
  REQUIRE(x.adds == y.adds);
  REQUIRE(x.z_nonzeros == y.z_nonzeros);
}

inline void check_same_stalls(const StallBreakdown& x, const StallBreakdown& y) {
  REQUIRE(x.busy == y.busy);
  REQUIRE(x.wait_a == y.wait_a);
  REQUIRE(x.wait_b == y.wait_b);
  REQUIRE(x.wait_intersect == y.wait_intersect);
  REQUIRE(x.wait_network == y.wait_network);
  REQUIRE(x.wait_port == y.wait_port);
  REQUIRE(x.wait_output == y.wait_output);
  REQUIRE(x.imbalance == y.imbalance);
  REQUIRE(x.drain == y.drain);
}

inline void check_same_run(const MachineStatistics& x, const MachineStatistics& y) {
  check_same_counts(x, y);
  REQUIRE(x.cycles == y.cycles);
  REQUIRE(x.pe_busy == y.pe_busy);
  REQUIRE(x.activations == y.activations);
  REQUIRE(x.meters.high_water == y.meters.high_water);
  for (const auto& [port, use] : x.meters.ports) {
    REQUIRE(use.fullest == y.meters.ports.at(port).fullest);
  }
  check_same_stalls(x.stalls, y.stalls);
}

}  // namespace lacuna::test
