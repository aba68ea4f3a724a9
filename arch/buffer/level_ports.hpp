// SPDX-License-Identifier: Apache-2.0
// A shared level of buffers as the buffers inside it see it: memories. Reads wait until the level's
// own stream has brought what they want, then pass the level's port and the link; outputs wait for
// room. First come, first served; of those that come in one delta by rank.
#pragma once

#include <deque>
#include <vector>

#include "arch/buffer/drain_module.hpp"
#include "arch/buffer/shared_reads.hpp"
#include "arch/buffer/stream_module.hpp"
#include "arch/memory/i_memory.hpp"

namespace lacuna {

/// One operand in the level.
class LevelReader : public sc_core::sc_module, public IMemory {
 public:
  SC_HAS_PROCESS(LevelReader);
  /// `reads`: of each client, whose rank is its index. With `shared_tiles` all clients read the
  /// same bytes of the stream; otherwise each its own.
  LevelReader(const sc_core::sc_module_name& name, sim::Simulation& simulation,
              StreamModule& stream, FillPort read, double bytes_per_cycle, Cycles latency,
              std::vector<SharedReads> reads, bool shared_tiles);

  void attach(const MemoryPort& port) override;
  void send(MemoryPort& from, std::uint64_t id, const MemoryRequest& request) override;
  [[nodiscard]] MemoryCounts counts() const override { return counts_; }

 private:
  struct Request {
    MemoryPort* from;
    std::uint64_t id, bytes;
    Tensor tensor;
    std::uint64_t sent_in;  // delta
    bool placed = false;    // known where in the stream it is
    std::uint64_t needed = 0, release = 0;
  };
  struct Client {
    SharedReads reads;
    SharedReads::Run run{};
    std::deque<Request> waiting;
  };
  /// Bytes on their way through the port, which have room until then.
  struct Leaving {
    Cycles when;
    std::uint64_t bytes;
    std::size_t consumer;
  };
  LACUNA_PROCESS(step);
  static void place(Client& client, Request& request);
  void serve(std::size_t client, const Request& request);
  void passed(const Request& request, std::size_t consumer, sim::Ticks start, sim::Ticks late);
  void let_go();
  [[nodiscard]] std::string blocked_on() const;

  sim::Simulation& simulation_;
  StreamModule& stream_;
  FillPort read_;
  double bytes_per_cycle_;
  Cycles latency_;
  bool shared_tiles_;
  std::vector<Client> clients_;
  std::deque<Leaving> leaving_;
  MemoryCounts counts_;
  sc_core::sc_event wake_;
};

/// The level's room for outputs on their way to memory.
class LevelWriter : public sc_core::sc_module, public IMemory {
 public:
  SC_HAS_PROCESS(LevelWriter);
  LevelWriter(const sc_core::sc_module_name& name, sim::Simulation& simulation, DrainModule& drain,
              std::uint64_t room, Cycles latency);

  void attach(const MemoryPort& port) override;
  void send(MemoryPort& from, std::uint64_t id, const MemoryRequest& request) override;
  [[nodiscard]] MemoryCounts counts() const override { return counts_; }
  [[nodiscard]] std::uint64_t high_water() const { return high_water_; }

 private:
  struct Request {
    MemoryPort* from;
    std::uint64_t id;
    Tensor tensor;
    AddressRange range;
    std::uint64_t sent_in;  // delta
    Cycles here;            // when it has crossed the link
  };
  LACUNA_PROCESS(step);
  [[nodiscard]] std::string blocked_on() const;

  sim::Simulation& simulation_;
  DrainModule& drain_;
  std::uint64_t room_;
  Cycles latency_;
  std::deque<Request> waiting_;  // in the order of deltas, within one by rank
  MemoryCounts counts_;
  std::uint64_t high_water_ = 0;
  sc_core::sc_event wake_;
};

}  // namespace lacuna
