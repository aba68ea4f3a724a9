// SPDX-License-Identifier: Apache-2.0
#include "arch/buffer/fetch_order.hpp"

namespace lacuna {

bool FetchOrder::next(AddressRange& range) {
  while (ranges_.empty()) {
    if (part_ == program_.parts.size()) return false;
    step();
  }
  range = ranges_.front();
  ranges_.pop_front();
  return true;
}

/// One visit of a tile, and of its tail as often as that comes again.
void FetchOrder::step() {
  const ArrayProgram::Part& part = program_.parts[part_];
  const TileVisits& visits = (*part.product).*visits_;
  if (item_ < visits.bytes.size() && walk_ < visits.walks.size()) {
    const std::uint64_t bytes = visits.bytes[item_];
    const std::uint64_t held = visits.stays ? residency_.resident(bytes, visits.room) : 0;
    if (bytes > 0) ranges_.push_back({base_ + offset_, bytes});
    for (std::uint64_t again = 1; again < visits.walks[walk_] && held < bytes; ++again) {
      ranges_.push_back({base_ + offset_ + held, bytes - held});
    }
    offset_ += bytes;
  }
  if (++item_ < visits.bytes.size()) return;
  item_ = 0;
  if (++walk_ < visits.walks.size()) {
    offset_ = 0;
    return;
  }
  walk_ = 0;
  base_ += offset_;
  offset_ = 0;
  if (++copy_ < part.times) return;
  copy_ = 0;
  ++part_;
}

}  // namespace lacuna
