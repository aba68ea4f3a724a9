// SPDX-License-Identifier: Apache-2.0
// One operand's share of the last-level buffer as a stream: bytes are requested in the order they
// will be used, fetched ahead as far as the share has room, and released by their consumer.
// Positions are bytes since the start of the run; addresses that come in count from the
// tensor's first byte. Buffet semantics
// (fill, read, update, shrink, credits) at the granularity of a memory request.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "arch/buffer/buffer_port.hpp"
#include "arch/buffer/stream_leases.hpp"
#include "arch/memory/memory_port.hpp"
#include "sim/meter.hpp"
#include "sim/registered.hpp"
#include "sim/simulation.hpp"

namespace lacuna {

/// A buffer that a stream fills a share of: the meter of the whole, the port that what arrives
/// passes.
struct StreamSink {
  sim::BufferMeter* buffer = nullptr;
  FillPort fill;
};

class StreamModule : public sc_core::sc_module {
 public:
  SC_HAS_PROCESS(StreamModule);
  /// Several sinks get the same bytes at once (multicast): each has a share of `capacity`, and what
  /// all of their consumers have released has left.
  StreamModule(const sc_core::sc_module_name& name, sim::Simulation& simulation, Tensor tensor,
               std::uint64_t capacity, const MemoryClient& client,
               std::vector<StreamSink> sinks = {StreamSink{}}, std::size_t consumers = 1);

  /// Appends a range of the tensor to the stream; returns the position of its end.
  std::uint64_t request(const AddressRange& range);
  /// Gives the next range to fetch; false after the last.
  using Order = std::function<bool(AddressRange&)>;
  /// All that is ever fetched: `bytes` in all, range after range of `order`.
  void request_in(Order order, std::uint64_t bytes);
  /// Divides what is fetched among operations, each with its own share instead of `capacity`.
  void lease(std::vector<StreamLease> leases) { leases_.emplace(std::move(leases)); }
  /// So many operations are over; the outputs of so many of them are in memory.
  void over(std::size_t operations, std::size_t written);
  /// Everything up to here is in the buffer (or was, and has been released).
  [[nodiscard]] std::uint64_t arrived() const { return arrived_.seen(); }
  /// One of the consumers gives `bytes` of room back.
  void release(std::uint64_t bytes, std::size_t consumer = 0);
  [[nodiscard]] sc_core::sc_event& arrival() { return arrival_; }
  [[nodiscard]] std::uint64_t capacity() const { return capacity_; }
  /// For the unit that requests.
  [[nodiscard]] std::uint64_t requested() const { return requested_.latest(); }
  [[nodiscard]] const sim::BufferMeter& meter() const { return meter_; }

 private:
  LACUNA_PROCESS(pump);
  [[nodiscard]] std::uint64_t may_fetch() const;
  void fetch(std::uint64_t bytes);
  void enter(Cycles first);
  void entered(std::size_t sink, Cycles when);
  bool take_in();
  [[nodiscard]] std::string blocked_on() const;

  struct InFlight {
    Cycles begin;
    std::uint64_t end;
    std::uint64_t bytes;
    std::size_t outside;  // buffers of which it is not known when it is in them
    Cycles entered;       // when it is in those of which it is known
  };
  sim::Simulation& simulation_;
  MemoryPort memory_;
  std::vector<StreamSink> sinks_;
  Tensor tensor_;
  std::uint64_t base_;  // address of its first byte
  std::uint64_t capacity_;
  std::uint64_t chunk_;
  std::uint64_t limit_;
  sim::Registered<std::uint64_t> requested_, arrived_, released_;
  std::optional<StreamLeases> leases_;
  sim::Registered<std::size_t> over_, written_;  // operations
  std::uint64_t issued_ = 0;
  sim::BufferMeter meter_;
  std::deque<AddressRange> wanted_;       // from issued_ to requested_, or
  Order order_;                           // what tells it range by range
  std::vector<AddressRange> of_request_;  // kept to spare its allocation
  std::deque<InFlight> in_flight_;
  std::size_t answered_ = 0;               // by memory, of those in flight
  std::vector<std::size_t> entered_;       // likewise, known when: for each sink
  std::vector<std::uint64_t> given_back_;  // by each consumer
  sc_core::sc_event wake_, entry_, arrival_;
};

}  // namespace lacuna
