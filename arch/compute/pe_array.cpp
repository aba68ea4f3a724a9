// SPDX-License-Identifier: Apache-2.0
#include "arch/compute/pe_array.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace lacuna {

PeArray::PeArray(const PeSpec& pes, const PebSpec& peb, const LlbSpec& llb,
                 const NetworkSpec& network)
    : count_(static_cast<std::uint32_t>(pes.count)),
      slots_(static_cast<std::size_t>(peb.pairs_in_flight) - 1),
      overhead_(sim::to_ticks(pes.pair_overhead)),
      latency_(sim::to_ticks(network.latency)),
      port_(llb.bytes_per_cycle),
      idle_(count_),
      idle_size_(count_),
      working_(count_),
      starts_(std::max<std::size_t>(1, slots_) * count_, 0),
      next_slot_(count_, 0),
      seen_(count_),
      busy_(count_, 0) {
  for (std::uint32_t pe = 0; pe < count_; ++pe) idle_[pe] = {0, pe};
}

StallBreakdown PeArray::breakdown(sim::Ticks end) const {
  StallBreakdown out;
  sim::Ticks tail = idle_barrier_;
  working_.for_each([&](const Element& element) { tail += last_end_ - element.free_at; });
  for (std::size_t i = 0; i < idle_size_; ++i) {
    tail += last_end_ - idle_[(idle_first_ + i) % count_].free_at;
  }
  for (const std::uint64_t busy : busy_) out.busy += busy;
  out.wait_a = idle_a_ >> sim::kTickBits;
  out.wait_b = idle_b_ >> sim::kTickBits;
  out.wait_output = idle_output_ >> sim::kTickBits;
  out.wait_network = idle_network_ >> sim::kTickBits;
  out.wait_intersect = idle_pair_ >> sim::kTickBits;
  out.imbalance = tail >> sim::kTickBits;
  const std::uint64_t total = sim::to_cycles_up(end).count() * count_;
  const std::uint64_t spent = out.busy + out.wait_a + out.wait_b + out.wait_output +
                              out.wait_network + out.wait_intersect + out.imbalance;
  LACUNA_CHECK(spent <= total, "{} PE-cycles spent of {}", spent, total);
  out.drain = total - spent;
  return out;
}

}  // namespace lacuna
