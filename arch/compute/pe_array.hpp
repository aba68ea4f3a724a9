// SPDX-License-Identifier: Apache-2.0
// The processing elements and the network that feeds them, as plain next-free-time resources: a
// pair of microtiles goes to a free element, over the shared port of the last-level buffer, into
// one of its input slots. Elements take turns: the next few in turn are looked at for a free one,
// and where all of these are at work, the pair goes to the one of all elements that is free first.
// Which of several free elements gets a pair changes no time.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "arch/buffer/buffer_banks.hpp"
#include "arch/compute/earliest_free.hpp"
#include "arch/program/statistics.hpp"
#include "arch/spec/machine_spec.hpp"
#include "sim/meter.hpp"
#include "sim/port.hpp"

namespace lacuna {

class PeArray {
 public:
  PeArray(const PeSpec& pes, const PebSpec& peb, const LlbSpec& llb, const NetworkSpec& network);

  /// What the dispatcher waits for, beside the next pair itself.
  enum class Cause : std::uint8_t { a, b, output, barrier };
  static constexpr std::size_t kCauses = 4;
  /// How many elements are looked at in turn.
  static constexpr unsigned kTurns = 8;

  struct Placement {
    sim::Ticks sent;  // when the pair started to leave the last-level buffer
    sim::Ticks end;   // when its work is done
  };
  /// Of several pairs: each is ready `after` the one before it was sent.
  struct Pair {
    sim::Ticks after;
    std::uint64_t bytes;
    std::uint64_t busy;
  };
  /// A part of a pair's work: it can start when the pair's first `bytes` have arrived.
  struct Step {
    std::uint64_t bytes;
    std::uint64_t busy;
  };

  /// Pairs leave from these banks, when they are contended for.
  void read_from(BufferBanks* banks) { banks_ = banks; }

  /// The dispatcher has waited: that explains idling of the elements until their next pair.
  void waited(Cause cause, sim::Ticks amount);
  /// A pair that is ready to leave the last-level buffer at `ready`: `bytes` to move, then
  /// `busy` cycles of work. Pairs leave in the order of the calls.
  /// Without `steps` the work starts when the whole pair is there; with them, part by part.
  Placement place(sim::Ticks ready, std::uint64_t bytes, std::uint64_t busy,
                  std::span<const Step> steps = {});
  /// Pairs behind each other, the first ready `after` the time `now`: when the last one was sent,
  /// and the latest end.
  Placement place(sim::Ticks now, std::span<const Pair> pairs);

  [[nodiscard]] const sim::BandwidthPort& port() const { return flow_.port; }
  [[nodiscard]] const sim::PortMeter& meter() const { return flow_.meter; }
  [[nodiscard]] const std::vector<std::uint64_t>& busy() const { return busy_; }
  /// Where the elements' time went until `end`, in PE-cycles; what is rounded away goes to drain.
  [[nodiscard]] StallBreakdown breakdown(sim::Ticks end) const;
  /// When the last element becomes free.
  [[nodiscard]] sim::Ticks last_end() const { return flow_.last_end; }

 private:
  using Waits = std::array<sim::Ticks, kCauses>;
  using IdleWaits = std::array<sim::WideTicks, kCauses>;  // of all elements
  /// What every pair changes.
  struct Flow {
    sim::BandwidthPort port;
    sim::PortMeter meter{};
    std::uint32_t turn = 0;           // the element whose turn it is
    sim::WideTicks idle_network = 0;  // of all elements: 64 bits end after 2^44 cycles of theirs
    sim::WideTicks idle_pair = 0;
    sim::Ticks last_end = 0;
  };
  Placement place_one(Flow& flow, sim::Ticks ready, std::uint64_t bytes, std::uint64_t busy,
                      std::span<const Step> steps);
  /// When what a step asks for is there.
  [[nodiscard]] sim::Ticks arrival(const sim::BandwidthPort& port, sim::Ticks sent,
                                   const Step& step) const;
  [[nodiscard]] sim::Ticks end_of_steps(const sim::BandwidthPort& port, sim::Ticks sent,
                                        sim::Ticks start, std::span<const Step> steps) const;
  [[nodiscard]] std::uint32_t after(std::uint32_t pe) const {
    return pe + 1 == count_ ? 0 : pe + 1;
  }
  std::uint32_t choose(std::uint32_t turn, sim::Ticks ready);
  void charge_waits(std::uint32_t pe, sim::Ticks& idle);

  sim::Ticks held_by_banks(Flow& flow, sim::Ticks sent, sim::Ticks passed, std::uint64_t bytes);

  std::uint32_t count_;
  bool single_slot_;   // an input slot is taken until the pair in it is done, not only begun
  std::size_t slots_;  // input slots beyond the pair being computed; one if that is the only one
  sim::Ticks overhead_;
  sim::Ticks latency_;
  Flow flow_;
  EarliestFree free_;
  std::vector<sim::Ticks> slot_free_;  // count x slots, a ring for each element
  std::vector<std::uint32_t> next_slot_;
  std::vector<std::uint64_t> busy_;
  Waits waits_{};
  IdleWaits idle_waits_{};
  std::uint64_t epoch_ = 0;  // counts the changes of waits_
  std::vector<std::uint64_t> seen_epoch_;
  std::vector<Waits> seen_;  // waits_ at each element's last pair
  BufferBanks* banks_ = nullptr;
  BufferBanks::Place place_ = 0;
};

// Inline: once for every pair of microtiles, a hundred million times in a run.

inline void PeArray::waited(Cause cause, sim::Ticks amount) {
  waits_[static_cast<std::size_t>(cause)] += amount;
  ++epoch_;
}

inline std::uint32_t PeArray::choose(std::uint32_t turn, sim::Ticks ready) {
  for (unsigned looked = 0; looked < kTurns; ++looked, turn = after(turn)) {
    if (free_[turn] <= ready) return turn;
  }
  return free_.first();
}

inline PeArray::Placement PeArray::place_one(Flow& flow, sim::Ticks ready, std::uint64_t bytes,
                                             std::uint64_t busy, std::span<const Step> steps) {
  const std::uint32_t pe = choose(flow.turn, ready);
  flow.turn = after(pe);
  const sim::Ticks free_at = free_[pe];
  sim::Ticks& slot_free = slot_free_[pe * slots_ + next_slot_[pe]];
  if (++next_slot_[pe] == slots_) next_slot_[pe] = 0;
  const sim::Ticks sent = std::max({ready, slot_free, flow.port.free_at()});
  sim::Ticks passed = flow.port.transfer(sent, bytes);
  flow.meter.crossed(sent, passed, bytes);
  sim::Ticks held = 0;
  if (banks_ != nullptr) [[unlikely]]
    held = held_by_banks(flow, sent, passed, bytes);
  passed += held;
  const sim::Ticks arrived = passed + latency_;
  sim::Ticks start = std::max(arrived, free_at);
  sim::Ticks end = start + (busy << sim::kTickBits) + overhead_;
  if (!steps.empty()) {
    start = std::max(arrival(flow.port, sent + held, steps.front()), free_at);
    end = std::max(end_of_steps(flow.port, sent + held, start, steps), arrived);
    flow.idle_network += end - start - (busy << sim::kTickBits) - overhead_;
  }
  slot_free = single_slot_ ? end : start;
  const sim::Ticks wanted = std::max(ready, free_at);
  flow.idle_network += start - wanted;
  sim::Ticks idle = wanted - free_at;
  if (seen_epoch_[pe] != epoch_) charge_waits(pe, idle);
  flow.idle_pair += idle;
  busy_[pe] += busy + (overhead_ >> sim::kTickBits);
  free_.set(pe, end);
  flow.last_end = std::max(flow.last_end, end);
  return {sent, end};
}

inline PeArray::Placement PeArray::place(sim::Ticks now, std::span<const Pair> pairs) {
  // A copy, which can stay in registers beside the stores to the elements' arrays.
  Flow flow = flow_;
  Placement placed{now, 0};
  for (const Pair& pair : pairs) {
    const auto [sent, end] = place_one(flow, placed.sent + pair.after, pair.bytes, pair.busy, {});
    placed = {sent, std::max(placed.end, end)};
  }
  flow_ = flow;
  return placed;
}

}  // namespace lacuna
