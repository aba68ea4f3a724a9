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

PeArray::Element PeArray::take_first(sim::Ticks ready) {
  while (!working_.empty() && working_.front().free_at <= ready) {
    std::size_t at = idle_first_ + idle_size_++;
    if (at >= count_) at -= count_;
    const auto [free_at, pe] = working_.front();
    idle_[at].free_at = free_at;
    idle_[at].pe = pe;
    working_.pop();
  }
  working_.advance(ready);
  if (idle_size_ > 0) {
    const Element first = idle_[idle_first_];
    if (++idle_first_ == count_) idle_first_ = 0;
    --idle_size_;
    return first;
  }
  const Element first = working_.front();
  working_.pop();
  return first;
}

PeArray::Placement PeArray::place(sim::Ticks ready, std::uint64_t bytes, std::uint64_t busy,
                                  const Waits& waits, std::span<const Step> steps) {
  const auto [free_at, pe] = take_first(ready);
  // An input slot frees when the pair that held it starts to be computed.
  const sim::Ticks slot_free = slots_ > 0 ? starts_[pe * slots_ + next_slot_[pe]] : free_at;
  const sim::Ticks sent = std::max({ready, slot_free, port_.free_at()});
  const sim::Ticks arrived = port_.transfer(sent, bytes) + latency_;
  const auto arrival = [&](std::uint64_t part) {
    return sent + port_.service_time(part) + latency_;
  };
  const sim::Ticks start =
      std::max(steps.empty() ? arrived : arrival(steps.front().bytes), free_at);
  sim::Ticks end = start + (busy << sim::kTickBits) + overhead_;
  if (!steps.empty()) {
    end = start + overhead_;
    for (const Step& step : steps) {
      end = std::max(end, arrival(step.bytes)) + (step.busy << sim::kTickBits);
    }
    // What no step asks for (line padding, the part moved twice) has to come all the same.
    end = std::max(end, arrived);
  }
  if (start > free_at) {
    charge_idle(pe, start - free_at, start - std::min(start, std::max(ready, free_at)), waits);
  }
  seen_[pe] = waits;
  if (slots_ > 0) {
    starts_[pe * slots_ + next_slot_[pe]] = start;
    if (++next_slot_[pe] == slots_) next_slot_[pe] = 0;
  }
  busy_[pe] += busy + (overhead_ >> sim::kTickBits);
  idle_network_ += end - start - (busy << sim::kTickBits) - overhead_;
  last_end_ = std::max(last_end_, end);
  working_.push(end, pe);
  return {sent, end};
}

void PeArray::charge_idle(std::uint32_t pe, sim::Ticks idle, sim::Ticks network,
                          const Waits& waits) {
  const auto take = [&idle](sim::Ticks& account, sim::Ticks amount) {
    amount = std::min(amount, idle);
    account += amount;
    idle -= amount;
  };
  // Waits of the dispatcher since this element got its last pair explain its idling first.
  take(idle_network_, network);
  take(idle_a_, waits.a - seen_[pe].a);
  take(idle_b_, waits.b - seen_[pe].b);
  take(idle_output_, waits.output - seen_[pe].output);
  take(idle_barrier_, waits.barrier - seen_[pe].barrier);
  take(idle_pair_, idle);
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
