// SPDX-License-Identifier: Apache-2.0
// Delays that test benches inject into one unit. Each unit draws from a stream of its own, so that
// the order in which units run does not change what any of them is given.
#pragma once

#include <string_view>

#include "sim/simulation.hpp"

namespace lacuna::sim {

class StallSource {
 public:
  StallSource(const Simulation& simulation, std::string_view unit)
      : stalls_(simulation.stalls()), stream_(stalls_.seed, unit) {}

  /// Extra cycles for the next item or request, usually zero.
  [[nodiscard]] Cycles next() {
    if (stalls_.probability <= 0) return Cycles(0);
    if (stream_.uniform() >= stalls_.probability) return Cycles(0);
    return Cycles(stream_.below(stalls_.longest + 1));
  }

 private:
  StallInjection stalls_;
  RandomStream stream_;
};

}  // namespace lacuna::sim
