// SPDX-License-Identifier: Apache-2.0
// The processing elements and the network that feeds them, as plain next-free-time resources: a
// pair of microtiles goes to the element that is free first, over the shared port of the last-level
// buffer, into one of its input slots.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "arch/compute/release_queue.hpp"
#include "arch/program/statistics.hpp"
#include "arch/spec/machine_spec.hpp"
#include "sim/port.hpp"

namespace lacuna {

class PeArray {
 public:
  PeArray(const PeSpec& pes, const PebSpec& peb, const LlbSpec& llb, const NetworkSpec& network);

  struct Placement {
    sim::Ticks sent;  // when the pair started to leave the last-level buffer
    sim::Ticks end;   // when its work is done
  };
  /// Time that the dispatcher has spent waiting so far, by cause; it only grows.
  struct Waits {
    sim::Ticks a = 0;
    sim::Ticks b = 0;
    sim::Ticks output = 0;
    sim::Ticks barrier = 0;
  };
  /// A part of a pair's work: it can start when the pair's first `bytes` have arrived.
  struct Step {
    std::uint64_t bytes;
    std::uint64_t busy;
  };
  /// A pair that is ready to leave the last-level buffer at `ready`: `bytes` to move, then
  /// `busy` cycles of work. Pairs leave in the order of the calls.
  /// Without `steps` the work starts when the whole pair is there; with them, part by part.
  Placement place(sim::Ticks ready, std::uint64_t bytes, std::uint64_t busy, const Waits& waits,
                  std::span<const Step> steps = {});

  [[nodiscard]] const sim::BandwidthPort& port() const { return port_; }
  [[nodiscard]] const std::vector<std::uint64_t>& busy() const { return busy_; }
  /// Where the elements' time went until `end`, in PE-cycles; what is rounded away goes to drain.
  [[nodiscard]] StallBreakdown breakdown(sim::Ticks end) const;
  /// When the last element becomes free.
  [[nodiscard]] sim::Ticks last_end() const { return last_end_; }

 private:
  using Element = ReleaseQueue::Element;
  Element take_first(sim::Ticks ready);
  void charge_idle(std::uint32_t pe, sim::Ticks idle, sim::Ticks network, const Waits& waits);

  std::uint32_t count_;
  std::size_t slots_;  // input slots beyond the pair being computed
  sim::Ticks overhead_;
  sim::Ticks latency_;
  sim::BandwidthPort port_;
  // Requests come in the order of time, so elements that are free by now can wait in the order in
  // which they became free; only the busy ones need a priority queue.
  std::vector<Element> idle_;  // a ring
  std::size_t idle_first_ = 0, idle_size_ = 0;
  ReleaseQueue working_;
  std::vector<sim::Ticks> starts_;  // count x slots: when the pairs before began
  std::vector<std::uint32_t> next_slot_;
  std::vector<Waits> seen_;  // the dispatcher's waits at each element's last pair
  std::vector<std::uint64_t> busy_;
  sim::Ticks idle_a_ = 0, idle_b_ = 0, idle_output_ = 0, idle_barrier_ = 0, idle_pair_ = 0,
             idle_network_ = 0;
  sim::Ticks last_end_ = 0;
};

// Inline: once for every pair of microtiles, a hundred million times in a run.

inline void PeArray::charge_idle(std::uint32_t pe, sim::Ticks idle, sim::Ticks network,
                                 const Waits& waits) {
  const auto take = [&idle](sim::Ticks& account, sim::Ticks amount) {
    amount = std::min(amount, idle);
    account += amount;
    idle -= amount;
  };
  // Waits of the dispatcher since this element got its last pair explain its idling first.
  take(idle_network_, network);
  if (idle == 0) return;
  take(idle_a_, waits.a - seen_[pe].a);
  take(idle_b_, waits.b - seen_[pe].b);
  take(idle_output_, waits.output - seen_[pe].output);
  take(idle_barrier_, waits.barrier - seen_[pe].barrier);
  take(idle_pair_, idle);
}

inline PeArray::Element PeArray::take_first(sim::Ticks ready) {
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

inline PeArray::Placement PeArray::place(sim::Ticks ready, std::uint64_t bytes, std::uint64_t busy,
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

}  // namespace lacuna
