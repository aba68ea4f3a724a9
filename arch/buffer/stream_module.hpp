// SPDX-License-Identifier: Apache-2.0
// One operand's share of the last-level buffer as a stream: bytes are requested in the order they
// will be used, fetched ahead as far as the share has room, and released by their consumer.
// Positions are bytes since the start of the run. Buffet semantics (fill, read, shrink, credits) at
// the granularity of a DRAM request.
#pragma once

#include <deque>

#include "arch/dram/dram_module.hpp"
#include "sim/meter.hpp"
#include "sim/simulation.hpp"

namespace lacuna {

class StreamModule : public sc_core::sc_module {
 public:
  SC_HAS_PROCESS(StreamModule);
  /// `buffer` is the meter of the whole buffer that this is a share of.
  StreamModule(const sc_core::sc_module_name& name, sim::Simulation& simulation, Tensor tensor,
               std::uint64_t capacity, const DramSpec& dram, sim::BufferMeter* buffer = nullptr);

  DramClient dram;

  /// Appends bytes to the stream; returns the position of its end.
  std::uint64_t request(std::uint64_t bytes);
  /// Everything up to here is in the buffer (or was, and has been released).
  [[nodiscard]] std::uint64_t arrived() const { return arrived_; }
  /// Gives `bytes` of room back.
  void release(std::uint64_t bytes);
  [[nodiscard]] sc_core::sc_event& arrival() { return arrival_; }
  [[nodiscard]] std::uint64_t capacity() const { return capacity_; }
  [[nodiscard]] std::uint64_t requested() const { return requested_; }
  [[nodiscard]] const sim::BufferMeter& meter() const { return meter_; }

 private:
  LACUNA_PROCESS(pump);
  [[nodiscard]] std::string blocked_on() const;

  struct InFlight {
    Cycles done;
    std::uint64_t end;
  };
  sim::Simulation& simulation_;
  Tensor tensor_;
  std::uint64_t capacity_;
  std::uint64_t chunk_;
  std::uint64_t limit_;
  std::uint64_t requested_ = 0, issued_ = 0, arrived_ = 0, released_ = 0;
  sim::BufferMeter meter_;
  std::deque<InFlight> in_flight_;
  sc_core::sc_event wake_, arrival_;
};

/// Outputs on their way to DRAM: first in, first out, at most a few requests under way.
class DrainModule : public sc_core::sc_module {
 public:
  SC_HAS_PROCESS(DrainModule);
  DrainModule(const sc_core::sc_module_name& name, sim::Simulation& simulation,
              const DramSpec& dram);

  DramClient dram;
  void write(Tensor tensor, std::uint64_t bytes);
  /// Bytes accepted and not yet written, and the event that they became fewer.
  [[nodiscard]] std::uint64_t pending() const { return pending_; }
  [[nodiscard]] sc_core::sc_event& progress() { return progress_; }

 private:
  LACUNA_PROCESS(pump);

  struct Item {
    Tensor tensor;
    std::uint64_t bytes;
  };
  sim::Simulation& simulation_;
  std::uint64_t chunk_;
  std::uint64_t limit_;
  std::uint64_t pending_ = 0;
  std::deque<Item> queue_;
  std::deque<std::pair<Cycles, std::uint64_t>> in_flight_;
  sc_core::sc_event wake_, progress_;
};

}  // namespace lacuna
