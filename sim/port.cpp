// SPDX-License-Identifier: Apache-2.0
#include "sim/port.hpp"

namespace lacuna::sim {

void run_too_long(Cycles longest) {
  throw InputError(
      fmt::format("the run takes longer than {} cycles, the end of simulated time",
                  longest.count()),
      "look for a bandwidth or a clock that is far too low or a latency that is far too long, or "
      "make the workload smaller");
}

}  // namespace lacuna::sim
