// SPDX-License-Identifier: Apache-2.0
// What a run took of the host that it ran on.
#pragma once

#include <sys/resource.h>

#include <chrono>

#include "run/result.hpp"

namespace lacuna {

class HostMeter {
 public:
  /// From the meter's construction to now.
  void read(RunResult& result) const {
    result.host.wall_s =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    result.host.peak_rss_bytes = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace lacuna
