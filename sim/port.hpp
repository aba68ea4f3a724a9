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
/// Sums of ticks over many blocks, as for idle time of all elements.
__extension__ using WideTicks = unsigned __int128;

/// The longest run: the 2^44 cycles that 64 bits of ticks hold, less 2^40, so that a step of any
/// block added to a time is never lost before it is looked at.
inline constexpr Cycles kMostCycles{(std::uint64_t{1} << 44) - (std::uint64_t{1} << 40)};
inline constexpr Ticks kMostTicks = kMostCycles.count() << kTickBits;
/// Throws InputError: a workload or a parameter makes the run too long.
[[noreturn]] void run_too_long(Cycles longest = kMostCycles);

/// Every sum of times passes here before another is made of it.
constexpr Ticks checked(Ticks ticks) {
  if (ticks >= kMostTicks) [[unlikely]]
    run_too_long();
  return ticks;
}
/// Of two times, however long.
constexpr Ticks sum(Ticks a, Ticks b) {
  return checked(b < kMostTicks - checked(a) ? a + b : kMostTicks);
}
constexpr Ticks to_ticks(Cycles cycles) {
  if (cycles >= kMostCycles) [[unlikely]]
    run_too_long();
  return cycles.count() << kTickBits;
}
/// To the nearest tick.
inline Ticks to_ticks(double cycles) {
  const double ticks = std::round(std::ldexp(cycles, kTickBits));
  if (!(ticks < static_cast<double>(kMostTicks))) [[unlikely]]
    run_too_long();
  LACUNA_CHECK(ticks >= 0, "a time of {} cycles", cycles);
  return static_cast<Ticks>(ticks);
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
      LACUNA_CHECK(bytes_per_cycle >= kLeastRate, "a port of {} B/cycle", bytes_per_cycle);
      // All bits of the double are kept, and no floating point is left on the path of time.
      fraction_per_byte_ =
          static_cast<Wide>(std::ldexp(1.0, kTickBits + kFractionBits) / bytes_per_cycle);
    }
  }

  /// Books `bytes` at or after `now`; returns when the last of them has passed.
  Ticks transfer(Ticks now, std::uint64_t bytes) {
    if (now > free_at_) {
      free_at_ = now;
      fraction_ = 0;
    }
    // What is left of a tick is carried on: transfers back to back move at the exact rate.
    const Wide service = fraction_per_byte_ * bytes + fraction_;
    if (bytes >= kMostBytes || free_at_ + (service >> kFractionBits) >= kMostTicks) [[unlikely]] {
      run_too_long();
    }
    const auto ticks = static_cast<Ticks>(service >> kFractionBits);
    fraction_ = static_cast<std::uint64_t>(service & ((Wide{1} << kFractionBits) - 1));
    free_at_ += ticks;
    busy_ += ticks;
    bytes_ += bytes;
    return free_at_;
  }

  /// Of a transfer that starts at a whole tick.
  [[nodiscard]] Ticks service_time(std::uint64_t bytes) const {
    const Wide ticks = (fraction_per_byte_ * bytes) >> kFractionBits;
    if (bytes >= kMostBytes || ticks >= kMostTicks) [[unlikely]]
      run_too_long();
    return static_cast<Ticks>(ticks);
  }
  [[nodiscard]] Ticks free_at() const { return free_at_; }
  [[nodiscard]] Ticks busy() const { return busy_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  using Wide = WideTicks;
  static constexpr unsigned kFractionBits = 40;
  // Their quotient times 2^60 stays below 2^128.
  static constexpr double kLeastRate = 1e-5;
  static constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 50;

  Wide fraction_per_byte_ = 0;  // 2^-40 ticks
  std::uint64_t fraction_ = 0;  // of a tick, beyond free_at_
  Ticks free_at_ = 0;
  Ticks busy_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace lacuna::sim
