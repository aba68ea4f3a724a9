// SPDX-License-Identifier: Apache-2.0
#include "arch/cost/array_cost.hpp"

#include <algorithm>
#include <cmath>

#include "arch/compute/arrays/arrays.hpp"

namespace lacuna {
namespace {

/// Memory as an estimate sees it.
struct Supply {
  double bytes_per_cycle = 1, latency = 0;
};

/// Of one walk: the next group of the inner operand comes while this one is used, as far as its
/// share has spare room; the rest while this one is used for the last time and the next for the
/// first.
double walk_cycles(const Demand& demand, const Supply& memory, double width, double busy,
                   double bytes) {
  // What passes through a small share waits for the memory's latency again and again.
  const double wait = demand.passing > 0 ? memory.latency * memory.bytes_per_cycle /
                                               std::max(1.0, demand.inner_room - demand.passing)
                                         : 0;
  double cycles = std::max(busy, bytes / memory.bytes_per_cycle * (1 + wait));
  if (width >= 2) {
    const double part = busy / width;
    const double late = std::max(0.0, bytes - demand.inner_spare) / memory.bytes_per_cycle;
    cycles = std::max(cycles, (width - 2) * part + std::max(2 * part, late));
  }
  return cycles;
}

/// Of one tile; `work_share` and `byte_share` are one but for the last.
double tile_cycles(const Demand& demand, const Supply& memory, double work_share, double byte_share,
                   bool first) {
  const double rate = memory.bytes_per_cycle;
  const double busy = demand.unit_cycles / (demand.tiles - 1 + demand.last_work) * work_share;
  const double bytes = demand.tile_bytes * byte_share;
  const double passing = demand.inner_bytes + demand.tile_again * byte_share;
  const double inner = passing / demand.walks;
  const double width = std::max(1.0, std::round(demand.width * work_share));
  const double walk = walk_cycles(demand, memory, width, busy / demand.walks, inner);
  double cycles = std::max(demand.walks * walk, (bytes + passing) / rate);
  if (demand.tiles > 1 && demand.resident) {
    // What has no spare room comes while its forerunner is walked last and itself first.
    const double late =
        std::max(0.0, bytes - demand.outer_spare) + std::max(0.0, 2 * inner - demand.inner_spare);
    cycles =
        std::max(cycles, std::max(0.0, demand.walks - 2) * walk + std::max(2 * walk, late / rate));
  }
  if (!first) return cycles;
  // The first walk waits for the whole tile; the inner operand comes ahead at the same time, as
  // far as it has room.
  const double stays = demand.first_inner_bytes;
  const double beside = std::max(inner + stays / demand.walks,
                                 std::min({bytes, demand.inner_room, stays + demand.inner_bytes}));
  const double fill = (bytes + beside) / rate - walk;
  const double all = (bytes + passing + stays) / rate - cycles;
  return cycles + std::max({0.0, fill, all});
}

double operand_cycles(const Demand& demand, const Supply& memory) {
  if (demand.tiles <= 1) {
    return memory.latency + tile_cycles(demand, memory, demand.last_work, demand.last_bytes, true);
  }
  return memory.latency + tile_cycles(demand, memory, 1, 1, true) +
         (demand.tiles - 2) * tile_cycles(demand, memory, 1, 1, false) +
         tile_cycles(demand, memory, demand.last_work, demand.last_bytes, false);
}

/// Outputs leave while the next tile of them is worked on, but not the one after: its work begins
/// when they are written. Two tiles take the latency, the writing and the work of one.
double output_cycles(const Demand& demand, double written, double latency) {
  return (demand.output_tiles * latency + written + demand.unit_cycles) / 2;
}

}  // namespace

double ArrayCost::unit_cycles(const ArrayWork& work) const {
  return arrays_busy_cycles(spec_, work, mode_);
}

double ArrayCost::resident_in_shared(Tensor operand, double bytes) const {
  if (!spec_.shared) return 0;
  const FabricHolding& holding = operand == Tensor::a ? spec_.shared->a : spec_.shared->b;
  const double room = holding.share * static_cast<double>(spec_.shared->capacity.count());
  return room > 0 ? Residency(holding).resident(bytes, room) : 0;
}

double ArrayCost::at_least(double unit_cycles, double fetched_bytes, double output_words) const {
  const double read = fetched_bytes / (spec_.dram.read_words * spec_.word_bytes());
  const double written = output_words / spec_.dram.write_words;
  const double memory = spec_.dram.shared ? read + written : std::max(read, written);
  const double filled = spec_.fills_pass_a_port()
                            ? fetched_bytes / (spec_.glb.write_words_per_cycle * spec_.word_bytes())
                            : 0;
  return std::max({unit_cycles, memory, filled});
}

Estimate ArrayCost::estimate(const Demand& demand) const {
  // What memory gives passes the port into the buffer.
  const double rate = spec_.fills_pass_a_port()
                          ? std::min(spec_.dram.read_words, spec_.glb.write_words_per_cycle)
                          : spec_.dram.read_words;
  const Supply memory{rate * spec_.word_bytes(), static_cast<double>(spec_.dram.latency.count())};
  const double written = demand.output_words / spec_.dram.write_words;
  Estimate out;
  out.at_least = at_least(demand.unit_cycles, demand.fetched(), demand.output_words);
  out.cycles = std::max(operand_cycles(demand, memory), spec_.dram.shared ? out.at_least : written);
  if (written > 0) {
    out.cycles = std::max(out.cycles, output_cycles(demand, written, memory.latency)) +
                 memory.latency + written / demand.output_tiles;
  }
  if (out.at_least > demand.unit_cycles) {
    out.limiter = written >= out.at_least ? Limiter::memory_writes : Limiter::memory_reads;
  }
  return out;
}

}  // namespace lacuna
