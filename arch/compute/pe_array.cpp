// SPDX-License-Identifier: Apache-2.0
#include "arch/compute/pe_array.hpp"

#include "base/error.hpp"

namespace lacuna {

PeArray::PeArray(const PeSpec& pes, const PebSpec& peb, const LlbSpec& llb,
                 const NetworkSpec& network)
    : count_(static_cast<std::uint32_t>(pes.count)),
      single_slot_(peb.pairs_in_flight == 1),
      slots_(single_slot_ ? 1 : static_cast<std::size_t>(peb.pairs_in_flight) - 1),
      overhead_(sim::to_ticks(pes.pair_overhead)),
      latency_(sim::to_ticks(network.latency)),
      flow_{sim::BandwidthPort(llb.bytes_per_cycle)},
      free_(count_),
      slot_free_(slots_ * count_, 0),
      next_slot_(count_, 0),
      busy_(count_, 0),
      seen_epoch_(count_, 0),
      seen_(count_, Waits{}) {}

PeArray::Placement PeArray::place(sim::Ticks ready, std::uint64_t bytes, std::uint64_t busy,
                                  std::span<const Step> steps) {
  return place_one(flow_, ready, bytes, busy, steps);
}

/// A pair that waits for a bank holds up those behind it.
sim::Ticks PeArray::held_by_banks(Flow& flow, sim::Ticks sent, sim::Ticks passed,
                                  std::uint64_t bytes) {
  const sim::Ticks end = banks_->access(place_, sent, passed, bytes);
  if (end > passed) (void)flow.port.transfer(end, 0);
  return end - passed;
}

sim::Ticks PeArray::arrival(const sim::BandwidthPort& port, sim::Ticks sent,
                            const Step& step) const {
  return sent + port.service_time(step.bytes) + latency_;
}

sim::Ticks PeArray::end_of_steps(const sim::BandwidthPort& port, sim::Ticks sent, sim::Ticks start,
                                 std::span<const Step> steps) const {
  sim::Ticks end = start + overhead_;
  for (const Step& step : steps) {
    end = std::max(end, arrival(port, sent, step)) + (step.busy << sim::kTickBits);
  }
  return end;
}

void PeArray::charge_waits(std::uint32_t pe, sim::Ticks& idle) {
  // Waits of the dispatcher since this element got its last pair explain its idling first.
  for (std::size_t cause = 0; cause < kCauses; ++cause) {
    const sim::Ticks amount = std::min(waits_[cause] - seen_[pe][cause], idle);
    idle_waits_[cause] += amount;
    idle -= amount;
  }
  seen_[pe] = waits_;
  seen_epoch_[pe] = epoch_;
}

StallBreakdown PeArray::breakdown(sim::Ticks end) const {
  const auto cycles = [](sim::WideTicks ticks) {
    return static_cast<std::uint64_t>(ticks >> sim::kTickBits);
  };
  const auto idle = [&](Cause cause) { return idle_waits_[static_cast<std::size_t>(cause)]; };
  StallBreakdown out;
  sim::WideTicks tail = idle(Cause::barrier);
  for (std::uint32_t pe = 0; pe < count_; ++pe) tail += flow_.last_end - free_[pe];
  for (const std::uint64_t busy : busy_) out.busy += busy;
  out.wait_a = cycles(idle(Cause::a));
  out.wait_b = cycles(idle(Cause::b));
  out.wait_output = cycles(idle(Cause::output));
  out.wait_network = cycles(flow_.idle_network);
  out.wait_intersect = cycles(flow_.idle_pair);
  out.imbalance = cycles(tail);
  const std::uint64_t total = sim::to_cycles_up(end).count() * count_;
  const std::uint64_t spent = out.busy + out.wait_a + out.wait_b + out.wait_output +
                              out.wait_network + out.wait_intersect + out.imbalance;
  LACUNA_CHECK(spent <= total, "{} PE-cycles spent of {}", spent, total);
  out.drain = total - spent;
  return out;
}

}  // namespace lacuna
