// SPDX-License-Identifier: Apache-2.0
#include "arch/compute/pe_array.hpp"

#include <algorithm>
#include <bit>

#include "base/error.hpp"

namespace lacuna {

PeArray::PeArray(const PeSpec& pes, const PebSpec& peb, const LlbSpec& llb,
                 const NetworkSpec& network)
    : count_(static_cast<std::uint32_t>(pes.count)),
      leaves_(std::bit_ceil(count_)),
      slots_(static_cast<std::size_t>(peb.pairs_in_flight) - 1),
      overhead_(sim::to_ticks(pes.pair_overhead)),
      latency_(sim::to_ticks(network.latency)),
      port_(llb.bytes_per_cycle),
      winner_(2 * std::size_t{leaves_}),
      free_at_(leaves_, 0),
      starts_(std::max<std::size_t>(1, slots_) * count_, 0),
      next_slot_(count_, 0),
      seen_(count_),
      busy_(count_, 0) {
  for (std::uint32_t pe = count_; pe < leaves_; ++pe) free_at_[pe] = ~sim::Ticks{0};
  for (std::uint32_t pe = 0; pe < leaves_; ++pe) winner_[leaves_ + pe] = pe;
  for (std::uint32_t node = leaves_ - 1; node >= 1; --node) {
    winner_[node] = winner_[2 * node];  // all are free at zero: the lowest number wins
  }
}

void PeArray::replay(std::uint32_t pe, sim::Ticks free_at) {
  free_at_[pe] = free_at;
  for (std::uint32_t node = (leaves_ + pe) / 2; node >= 1; node /= 2) {
    const std::uint32_t left = winner_[2 * node];
    const std::uint32_t right = winner_[2 * node + 1];
    winner_[node] = free_at_[right] < free_at_[left] ? right : left;
  }
}

PeArray::Placement PeArray::place(sim::Ticks ready, std::uint64_t bytes, std::uint64_t busy,
                                  const Waits& waits, std::span<const Step> steps) {
  const std::uint32_t pe = leaves_ == 1 ? 0 : winner_[1];
  const sim::Ticks free_at = free_at_[pe];
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
  replay(pe, end);
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
  take(idle_barrier_, waits.barrier - seen_[pe].barrier);
  take(idle_pair_, idle);
}

StallBreakdown PeArray::breakdown(sim::Ticks end) const {
  StallBreakdown out;
  sim::Ticks tail = idle_barrier_;
  for (std::uint32_t pe = 0; pe < count_; ++pe) {
    out.busy += busy_[pe];
    tail += last_end_ - free_at_[pe];
  }
  out.wait_a = idle_a_ >> sim::kTickBits;
  out.wait_b = idle_b_ >> sim::kTickBits;
  out.wait_network = idle_network_ >> sim::kTickBits;
  out.wait_intersect = idle_pair_ >> sim::kTickBits;
  out.imbalance = tail >> sim::kTickBits;
  const std::uint64_t total = sim::to_cycles_up(end).count() * count_;
  const std::uint64_t spent =
      out.busy + out.wait_a + out.wait_b + out.wait_network + out.wait_intersect + out.imbalance;
  LACUNA_CHECK(spent <= total, "{} PE-cycles spent of {}", spent, total);
  out.drain = total - spent;
  return out;
}

}  // namespace lacuna
