// SPDX-License-Identifier: Apache-2.0
// Next-free-time resources in integer arithmetic. They know no SystemC: a process asks for service
// at its own "now" and gets the completion time back. Exact for first-come-first-served servers as
// long as requests come in non-decreasing time, which the resource checks.
#pragma once

#include <cmath>
#include <cstdint>

#include "base/error.hpp"
#include "base/units.hpp"

namespace lacuna::sim {

/// Time in 2^-20 cycles, so that a transfer shorter than a cycle still takes its share.
using Ticks = std::uint64_t;
inline constexpr unsigned kTickBits = 20;
constexpr Ticks to_ticks(Cycles cycles) {
  return cycles.count() << kTickBits;
}
constexpr Cycles to_cycles_up(Ticks ticks) {
  return Cycles((ticks + (Ticks{1} << kTickBits) - 1) >> kTickBits);
}

/// A link or port that moves a fixed number of bytes per cycle, one transfer after another.
class BandwidthPort {
 public:
  /// Infinity (or zero) means unbounded.
  explicit BandwidthPort(double bytes_per_cycle) {
    if (std::isfinite(bytes_per_cycle) && bytes_per_cycle > 0) {
      // Ticks per byte with 20 more fraction bits: bandwidth is exact to 1e-12, and no floating
      // point is left on the path of time.
      ticks_per_byte_q20_ = static_cast<std::uint64_t>(
          std::llround(std::ldexp(1.0, 2 * kTickBits) / bytes_per_cycle));
    }
  }

  /// Books `bytes` at or after `now`; returns when the last of them has passed.
  Ticks transfer(Ticks now, std::uint64_t bytes) {
    const Ticks start = now > free_at_ ? now : free_at_;
    const Ticks service = service_time(bytes);
    free_at_ = start + service;
    busy_ += service;
    bytes_ += bytes;
    return free_at_;
  }

  [[nodiscard]] Ticks service_time(std::uint64_t bytes) const {
    __extension__ using Wide = unsigned __int128;
    return static_cast<Ticks>((Wide{bytes} * ticks_per_byte_q20_) >> kTickBits);
  }
  [[nodiscard]] Ticks free_at() const { return free_at_; }
  [[nodiscard]] Ticks busy() const { return busy_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  std::uint64_t ticks_per_byte_q20_ = 0;
  Ticks free_at_ = 0;
  Ticks busy_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace lacuna::sim
