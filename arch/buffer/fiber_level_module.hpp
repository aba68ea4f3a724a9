// SPDX-License-Identifier: Apache-2.0
// A level that holds fibers, as the elements see it: a memory. What it does not have of the fibers
// of a request comes from the memory behind it, runs of bytes as ranges of one request; a request
// is answered when all of its bytes are there and have passed the read port. Partial outputs stay
// until they are read, or leave for memory when others need their lines. First come, first served;
// of requests that come in one delta by rank.
//
// A line is taken when it is asked for. Whoever asks for one that is on its way waits for it; one
// that is replaced before it has arrived still serves who asked for it.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "arch/buffer/drain_module.hpp"
#include "arch/buffer/fiber_store.hpp"
#include "arch/memory/i_memory.hpp"
#include "arch/memory/memory_port.hpp"
#include "sim/meter.hpp"
#include "sim/port.hpp"
#include "sim/stall.hpp"

namespace lacuna {

class FiberLevelModule : public sc_core::sc_module, public IMemory {
 public:
  SC_HAS_PROCESS(FiberLevelModule);
  /// `client`: of the memory behind, for what is fetched; `drain` takes what leaves for there.
  FiberLevelModule(const sc_core::sc_module_name& name, sim::Simulation& simulation,
                   const FiberLevelSpec& spec, std::unique_ptr<IFiberStore> store,
                   const MemoryClient& client, DrainModule& drain);

  void attach(const MemoryPort& port) override;
  void send(MemoryPort& from, std::uint64_t id, const MemoryRequest& request) override;
  /// What the elements read and wrote, and what passed the read port.
  [[nodiscard]] MemoryCounts counts() const override;
  [[nodiscard]] const sim::PortMeter& write_meter() const { return write_meter_; }
  [[nodiscard]] std::uint64_t high_water() const { return high_water_; }
  [[nodiscard]] std::uint64_t lines_read() const { return lines_read_; }
  [[nodiscard]] std::uint64_t lines_written() const { return lines_written_; }

 private:
  struct Request {
    MemoryPort* from;
    std::uint64_t id;
    Tensor tensor;
    bool write;
    std::vector<AddressRange> ranges;
    std::uint64_t bytes;
    std::uint64_t sent_in;  // delta
    bool continues;
  };
  struct Waiting {
    MemoryPort* from;
    std::uint64_t id, bytes;
  };
  /// A part of a fetch, as memory is asked for it.
  struct Part {
    Tensor tensor;
    std::vector<AddressRange> ranges;
    std::uint64_t bytes;
    bool last;
  };
  struct UnderWay {
    Cycles begin;
    std::uint64_t bytes;
    bool last;
  };
  LACUNA_PROCESS(step);
  void take_requests();
  [[nodiscard]] std::uint64_t gathered(const Request& request) const;
  void serve(const Request& request);
  void fetch(Tensor tensor);
  void take_answers();
  void answer(const Waiting& waiting);
  [[nodiscard]] std::string blocked_on() const;

  sim::Simulation& simulation_;
  std::unique_ptr<IFiberStore> store_;
  MemoryPort memory_;
  std::uint64_t chunk_, limit_, line_;
  DrainModule& drain_;
  Cycles latency_;
  sim::BandwidthPort read_port_, write_port_;
  sim::PortMeter read_meter_, write_meter_;
  sim::StallSource stalls_;
  std::vector<unsigned> ranks_;
  std::vector<Request> incoming_, taken_;
  FiberMoves moves_;
  std::uint64_t fetches_ = 0, there_ = 0;  // begun; in the level
  std::deque<Part> to_send_;
  std::deque<UnderWay> under_way_;
  std::deque<Cycles> filling_;  // answered fetches: when they have passed the write port
  std::map<std::uint64_t, std::vector<Waiting>> waiting_;  // by the fetch that they wait for
  MovedByTensor moved_{};
  std::uint64_t high_water_ = 0, lines_read_ = 0, lines_written_ = 0;
  sc_core::sc_event wake_, filled_;
};

}  // namespace lacuna
