// SPDX-License-Identifier: Apache-2.0
#include "arch/buffer/residency.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace lacuna {

std::uint64_t Residency::resident(std::uint64_t bytes, std::uint64_t room) const {
  if (room == 0 || bytes <= room) return bytes;
  if (policy_ != BufferPolicy::tailors) return 0;  // a cache has lost the tile's head by its end
  return room > window_ ? room - window_ : 0;
}

double Residency::resident(double bytes, double room) const {
  if (room <= 0 || bytes <= room) return bytes;
  if (policy_ != BufferPolicy::tailors) return 0;
  return std::max(0.0, room - static_cast<double>(window_));
}

bool Residency::passes(double piece, double room) const {
  return piece <= (overbooks() ? std::min(static_cast<double>(window_), room) : room);
}

FetchTotals fetch_totals(std::string_view machine, const TileVisits& visits,
                         const Residency& residency) {
  FetchTotals totals;
  std::uint64_t all_walks = 0;
  for (const std::uint64_t walks : visits.walks) all_walks += walks;
  totals.times = visits.stays ? visits.walks.size() : all_walks;
  for (const std::uint64_t bytes : visits.bytes) {
    const std::uint64_t head = visits.stays ? residency.resident(bytes, visits.room) : 0;
    if (visits.stays && head < bytes && residency.overbooks() &&
        visits.piece > residency.window()) {
      throw InputError(
          fmt::format(
              "{}: a step of an overbooked tile takes {} bytes, the streaming window holds {}",
              machine, visits.piece, residency.window()),
          "make glb.window larger, or arrays.columns smaller");
    }
    for (const std::uint64_t walks : visits.walks) {
      const TileWalk walk{bytes, head, walks};
      totals.bytes += walk.fetched();
      totals.walks += walks;
      if (visits.stays) totals.again += walk.again();
    }
  }
  return totals;
}

StreamPositions::Position StreamPositions::of(const TileUse& use) {
  if (use.visit != visit_) {
    base_ += walk_.fetched();
    visit_ = use.visit;
  }
  const std::uint64_t bytes = use.tile.bytes();
  walk_ = {bytes, use.stays ? residency_.resident(bytes, use.room) : 0, use.walks};
  return {base_ + walk_.needed(use.walk, use.end),
          use.kept ? 0 : walk_.released(use.walk, use.begin, use.end)};
}

}  // namespace lacuna
