// SPDX-License-Identifier: Apache-2.0
#include "arch/buffer/stream_leases.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace lacuna {

StreamLeases::StreamLeases(std::vector<StreamLease> leases) : leases_(std::move(leases)) {
  LACUNA_CHECK(!leases_.empty(), "a stream for no operation");
  end_ = leases_.front().bytes;
  issued(0);
}

std::uint64_t StreamLeases::room(std::size_t over, std::size_t written) const {
  if (leases_[at_].after > written) return 0;
  std::uint64_t room = leases_[at_].share;
  for (std::size_t i = over; i < at_; ++i) room = std::min(room, leases_[i].share);
  return room;
}

void StreamLeases::issued(std::uint64_t bytes) {
  while (bytes >= end_ && at_ + 1 < leases_.size()) end_ += leases_[++at_].bytes;
}

}  // namespace lacuna
