// SPDX-License-Identifier: Apache-2.0
#include "arch/memory/fixed_memory.hpp"

#include <algorithm>
#include <tuple>

#include "arch/memory/metered.hpp"

namespace lacuna {

FixedMemory::FixedMemory(std::string name, sim::Simulation& simulation, const DramSpec& spec)
    : name_(std::move(name)),
      simulation_(simulation),
      latency_(spec.latency),
      port_(spec.bytes_per_cycle),
      stalls_(simulation, name_),
      decision_(simulation, [this] { decide(); }) {}

void FixedMemory::attach(const MemoryPort& port) {
  LACUNA_CHECK(std::find(ranks_.begin(), ranks_.end(), port.rank()) == ranks_.end(),
               "{}: two clients of rank {}", name_, port.rank());
  ranks_.push_back(port.rank());
}

void FixedMemory::send(MemoryPort& from, std::uint64_t id, const MemoryRequest& request) {
  waiting_.push_back({&from, id, request.tensor, request.write, request.bytes});
  decision_.due();
}

void FixedMemory::decide() {
  // A client's own requests stay in their order.
  std::sort(waiting_.begin(), waiting_.end(), [](const Waiting& a, const Waiting& b) {
    return std::tuple(a.from->rank(), a.id) < std::tuple(b.from->rank(), b.id);
  });
  for (const Waiting& request : waiting_) serve(request);
  waiting_.clear();
}

void FixedMemory::serve(const Waiting& request) {
  Moved& moved = moved_[static_cast<std::size_t>(request.tensor)];
  (request.write ? moved.write_bytes : moved.read_bytes) += request.bytes;
  const sim::Ticks begin = std::max(simulation_.now_ticks(), port_.free_at());
  const sim::Ticks done = port_.transfer(simulation_.now_ticks(), request.bytes);
  meter_.crossed(begin, done, request.bytes);
  const Cycles late = latency_ + stalls_.next();
  request.from->answer(request.id, sim::to_cycles_up(done) + late,
                       Cycles(begin >> sim::kTickBits) + late);
}

MemoryCounts FixedMemory::counts() const {
  return {moved_, use_of(meter_), {}};
}

}  // namespace lacuna
