// SPDX-License-Identifier: Apache-2.0
// A second memory, unlike the first: it takes requests in one at a time after pauses of random
// length, answers out of order and as late as it likes but no faster than its rate, and says so
// only when it is due. What it does is a function of its seed. Units that work with it work with
// whatever keeps to IMemory.
#pragma once

#include <map>
#include <set>

#include "arch/memory/memory_port.hpp"
#include "base/random.hpp"
#include "sim/registered.hpp"

namespace lacuna::test {

class MoodyMemory : public sc_core::sc_module, public IMemory {
 public:
  SC_HAS_PROCESS(MoodyMemory);
  MoodyMemory(const sc_core::sc_module_name& name, sim::Simulation& simulation, double rate,
              std::uint64_t longest, std::uint64_t seed)
      : sc_core::sc_module(name),
        simulation_(simulation),
        port_(rate),
        longest_(longest),
        random_(seed, "moods"),
        due_(simulation, [this] { commit(); }),
        wake_("wake") {
    LACUNA_METHOD(look);
    sensitive << wake_;
  }

  void attach(const MemoryPort& port) override {
    if (!ranks_.insert(port.rank()).second) throw ModelError("two clients of one rank");
  }
  void send(MemoryPort& from, std::uint64_t id, const MemoryRequest& request) override {
    std::uint64_t bytes = 0;
    for (const AddressRange& range : request.ranges) bytes += range.bytes;
    if (bytes != request.bytes) throw ModelError("ranges do not sum up");
    Moved& moved = counts_.moved[static_cast<std::size_t>(request.tensor)];
    (request.write ? moved.write_bytes : moved.read_bytes) += bytes;
    // By rank and number, so that the order of sending is forgotten.
    sending_.emplace(std::pair{from.rank(), id}, std::pair{&from, bytes});
    due_.due();
  }
  [[nodiscard]] MemoryCounts counts() const override { return counts_; }

 private:
  /// What look() may see of this delta's requests it sees in the next.
  void commit() {
    sent_.merge(sending_);
    simulation_.wake(wake_);
  }
  LACUNA_PROCESS(look) {
    const Cycles now = simulation_.now();
    for (const auto& [key, request] : sent_) {
      const auto [from, bytes] = request;
      const Cycles passed = sim::to_cycles_up(port_.transfer(sim::to_ticks(now), bytes));
      answers_.emplace(passed + Cycles(1 + random_.below(longest_)), std::pair{from, key.second});
    }
    sent_.clear();
    while (!answers_.empty() && answers_.begin()->first <= now) {
      const auto [from, id] = answers_.begin()->second;
      from->answer(id, now);
      answers_.erase(answers_.begin());
    }
    if (!answers_.empty()) simulation_.at(answers_.begin()->first, wake_);
  }

  sim::Simulation& simulation_;
  sim::BandwidthPort port_;
  std::uint64_t longest_;
  RandomStream random_;
  std::set<unsigned> ranks_;
  std::map<std::pair<unsigned, std::uint64_t>, std::pair<MemoryPort*, std::uint64_t>> sending_,
      sent_;
  std::multimap<Cycles, std::pair<MemoryPort*, std::uint64_t>> answers_;
  MemoryCounts counts_;
  sim::Decision due_;
  sc_core::sc_event wake_;
};

}  // namespace lacuna::test
