// SPDX-License-Identifier: Apache-2.0
#include "dataflows/fabric_estimate.hpp"

#include <algorithm>
#include <cmath>

namespace lacuna {
namespace {

/// Of one walk: the next group of the inner operand comes while this one is used, as far as its
/// share has spare room; the rest while this one is used for the last time and the next for the
/// first.
double walk_cycles(const FabricFlow& flow, double width, double busy, double bytes) {
  // What passes through a small share waits for the memory's latency again and again.
  const double wait = flow.passing > 0 ? flow.latency * flow.bytes_per_cycle /
                                             std::max(1.0, flow.inner_room - flow.passing)
                                       : 0;
  double cycles = std::max(busy, bytes / flow.bytes_per_cycle * (1 + wait));
  if (width >= 2) {
    const double part = busy / width;
    const double late = std::max(0.0, bytes - flow.inner_spare) / flow.bytes_per_cycle;
    cycles = std::max(cycles, (width - 2) * part + std::max(2 * part, late));
  }
  return cycles;
}

/// Of one tile; `busy_share` and `byte_share` are one but for the last.
double tile_cycles(const FabricFlow& flow, double busy_share, double byte_share, bool first) {
  const double rate = flow.bytes_per_cycle;
  const double busy = flow.busy / (flow.tiles - 1 + flow.last_busy) * busy_share;
  const double bytes = flow.tile_bytes * byte_share;
  const double passing = flow.inner_bytes + flow.tile_again * byte_share;
  const double inner = passing / flow.walks;
  const double width = std::max(1.0, std::round(flow.width * busy_share));
  const double walk = walk_cycles(flow, width, busy / flow.walks, inner);
  double cycles = std::max(flow.walks * walk, (bytes + passing) / rate);
  if (flow.tiles > 1 && flow.resident) {
    // What has no spare room comes while its forerunner is walked last and itself first.
    const double late =
        std::max(0.0, bytes - flow.outer_spare) + std::max(0.0, 2 * inner - flow.inner_spare);
    cycles =
        std::max(cycles, std::max(0.0, flow.walks - 2) * walk + std::max(2 * walk, late / rate));
  }
  if (!first) return cycles;
  // The first walk waits for the whole tile; the inner operand comes ahead at the same time, as
  // far as it has room.
  const double stays = flow.first_inner_bytes;
  const double beside = std::max(inner + stays / flow.walks,
                                 std::min({bytes, flow.inner_room, stays + flow.inner_bytes}));
  const double fill = (bytes + beside) / rate - walk;
  const double all = (bytes + passing + stays) / rate - cycles;
  return cycles + std::max({0.0, fill, all});
}

}  // namespace

double estimated_cycles(const FabricFlow& flow) {
  const double fill = flow.latency;
  if (flow.tiles <= 1) return fill + tile_cycles(flow, flow.last_busy, flow.last_bytes, true);
  return fill + tile_cycles(flow, 1, 1, true) + (flow.tiles - 2) * tile_cycles(flow, 1, 1, false) +
         tile_cycles(flow, flow.last_busy, flow.last_bytes, false);
}

}  // namespace lacuna
