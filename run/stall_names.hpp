// SPDX-License-Identifier: Apache-2.0
// The states of a processing element under the names that JSON, CSV, tables and plots share.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "arch/program/statistics.hpp"

namespace lacuna {

struct StallName {
  std::string_view key;    // in files
  std::string_view shown;  // to people
  std::uint64_t StallBreakdown::*cycles;
};

inline constexpr std::array<StallName, 9> kStallNames{{
    {"busy", "busy", &StallBreakdown::busy},
    {"wait_a", "wait for A", &StallBreakdown::wait_a},
    {"wait_b", "wait for B", &StallBreakdown::wait_b},
    {"wait_intersect", "wait for intersection", &StallBreakdown::wait_intersect},
    {"wait_network", "wait for network", &StallBreakdown::wait_network},
    {"wait_port", "wait for port", &StallBreakdown::wait_port},
    {"wait_output", "wait for output", &StallBreakdown::wait_output},
    {"imbalance", "imbalance", &StallBreakdown::imbalance},
    {"drain", "drain", &StallBreakdown::drain},
}};

[[nodiscard]] inline std::uint64_t total_pe_cycles(const StallBreakdown& stalls) {
  std::uint64_t total = 0;
  for (const StallName& name : kStallNames) total += stalls.*name.cycles;
  return total;
}

}  // namespace lacuna
