// SPDX-License-Identifier: Apache-2.0
// A port of a buffer that several blocks pass: the streams that fill it, the unit that writes it.
// First come, first served, of those that come in one delta by rank; who comes later waits.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "arch/buffer/buffer_banks.hpp"
#include "arch/memory/metered.hpp"
#include "sim/decision.hpp"
#include "sim/meter.hpp"
#include "sim/port.hpp"
#include "sim/simulation.hpp"

namespace lacuna {

class BufferPort {
 public:
  /// How much later the last byte passed than asked for; called at the end of the delta that asked.
  using Passed = std::function<void(sim::Ticks late)>;

  /// `banks`: of the buffer, when they are contended for.
  BufferPort(sim::Simulation& simulation, double bytes_per_cycle, BufferBanks* banks = nullptr)
      : simulation_(simulation),
        banks_(banks),
        port_(bytes_per_cycle),
        decision_(simulation, [this] { decide(); }) {}

  /// Of two ports to the same banks: what is asked of this one in a delta is decided after what is
  /// asked of `other`.
  void decide_after(BufferPort& other) {
    before_ = &other;
    other.after_ = this;
  }

  // Of two that ask in one delta the one of lower `rank` is first. Late is what passes after
  // `last`.
  /// Bytes that come from `first` to `last` and pass as they come, as far as the port is free and
  /// fast enough. Asked for when the last is there.
  void fill(unsigned rank, sim::Ticks first, sim::Ticks last, std::uint64_t bytes, Passed passed) {
    ask({rank, asked_++, first, last, true, bytes, std::move(passed)});
  }
  /// Bytes that are written some time between `first` and `last`, as soon as the port is free.
  /// Asked for at `first`.
  void write(unsigned rank, sim::Ticks first, sim::Ticks last, std::uint64_t bytes, Passed passed) {
    ask({rank, asked_++, first, last, false, bytes, std::move(passed)});
  }

  [[nodiscard]] const sim::PortMeter& meter() const { return meter_; }
  /// Cycles that clients waited, for each other or for the port's rate, in all.
  [[nodiscard]] std::uint64_t waited() const {
    return static_cast<std::uint64_t>((waited_ + kTick - 1) >> sim::kTickBits);
  }

 private:
  static constexpr sim::WideTicks kTick = sim::WideTicks{1} << sim::kTickBits;
  struct Asking {
    unsigned rank;
    std::uint64_t number;  // in the order of asking: decides between requests of one client
    sim::Ticks first, last;
    bool as_they_come;
    std::uint64_t bytes;
    Passed passed;
  };
  void ask(Asking asking);
  void decide();
  void serve();
  [[nodiscard]] sim::Ticks pass(const Asking& one);

  sim::Simulation& simulation_;
  BufferBanks* banks_;
  std::vector<BufferBanks::Place> places_;  // of each rank
  BufferPort* before_ = nullptr;
  BufferPort* after_ = nullptr;
  sim::BandwidthPort port_;
  sim::PortMeter meter_;
  sim::WideTicks waited_ = 0;
  std::uint64_t asked_ = 0;
  std::vector<Asking> asking_;  // in this delta
  sim::Decision decision_;
};

/// In lines.
[[nodiscard]] inline PortUse use_of(const BufferBanks& banks) {
  return {banks.lines(), banks.accesses(), 0, 0, banks.waited()};
}

[[nodiscard]] inline PortUse use_of(const BufferPort& port) {
  PortUse use = use_of(port.meter());
  use.waited = port.waited();
  return use;
}

/// A client's way into the buffer; without a port it is free.
struct FillPort {
  BufferPort* port = nullptr;
  unsigned rank = 0;
};

}  // namespace lacuna
