// SPDX-License-Identifier: Apache-2.0
// One operand's share of the last-level buffer as a stream: bytes are requested in the order they
// will be used, fetched ahead as far as the share has room, and released by their consumer.
// Positions are bytes since the start of the run; addresses that come in count from the
// tensor's first byte. Buffet semantics
// (fill, read, update, shrink, credits) at the granularity of a memory request.
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "arch/buffer/buffer_port.hpp"
#include "arch/memory/memory_port.hpp"
#include "sim/meter.hpp"
#include "sim/registered.hpp"
#include "sim/simulation.hpp"

namespace lacuna {

class StreamModule : public sc_core::sc_module {
 public:
  SC_HAS_PROCESS(StreamModule);
  /// `buffer` is the meter of the whole buffer that this is a share of, `fill` the port that what
  /// arrives passes.
  StreamModule(const sc_core::sc_module_name& name, sim::Simulation& simulation, Tensor tensor,
               std::uint64_t capacity, const MemoryClient& client,
               sim::BufferMeter* buffer = nullptr, FillPort fill = {});

  /// Appends a range of the tensor to the stream; returns the position of its end.
  std::uint64_t request(const AddressRange& range);
  /// Everything up to here is in the buffer (or was, and has been released).
  [[nodiscard]] std::uint64_t arrived() const { return arrived_.seen(); }
  /// Gives `bytes` of room back.
  void release(std::uint64_t bytes);
  [[nodiscard]] sc_core::sc_event& arrival() { return arrival_; }
  [[nodiscard]] std::uint64_t capacity() const { return capacity_; }
  /// For the unit that requests.
  [[nodiscard]] std::uint64_t requested() const { return requested_.latest(); }
  [[nodiscard]] const sim::BufferMeter& meter() const { return meter_; }

 private:
  LACUNA_PROCESS(pump);
  void fetch(std::uint64_t bytes);
  void enter(Cycles first);
  bool take_in();
  [[nodiscard]] std::string blocked_on() const;

  struct InFlight {
    Cycles begin;
    std::uint64_t end;
    std::uint64_t bytes;
    std::optional<Cycles> entered;  // when it is in the buffer, once that is known
  };
  sim::Simulation& simulation_;
  MemoryPort memory_;
  FillPort fill_;
  Tensor tensor_;
  std::uint64_t base_;  // address of its first byte
  std::uint64_t capacity_;
  std::uint64_t chunk_;
  std::uint64_t limit_;
  sim::Registered<std::uint64_t> requested_, arrived_, released_;
  std::uint64_t issued_ = 0;
  sim::BufferMeter meter_;
  std::deque<AddressRange> wanted_;       // from issued_ to requested_
  std::vector<AddressRange> of_request_;  // kept to spare its allocation
  std::deque<InFlight> in_flight_;
  std::size_t answered_ = 0, entered_ = 0;  // of those in flight: by memory; known when
  sc_core::sc_event wake_, entry_, arrival_;
};

}  // namespace lacuna
