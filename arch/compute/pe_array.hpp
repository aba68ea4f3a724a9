// SPDX-License-Identifier: Apache-2.0
// The processing elements and the network that feeds them, as plain next-free-time resources: a
// pair of microtiles goes to the element that is free first, over the shared port of the last-level
// buffer, into one of its input slots.
#pragma once

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

}  // namespace lacuna
