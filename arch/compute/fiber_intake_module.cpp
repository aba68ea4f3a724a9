// SPDX-License-Identifier: Apache-2.0
#include "arch/compute/fiber_intake_module.hpp"

#include <algorithm>

namespace lacuna {

std::uint64_t FiberIntake::request(const std::vector<StoredRange>& fibers, std::uint64_t walks) {
  for (std::uint64_t walk = 0; walk < walks; ++walk) {
    for (const StoredRange& fiber : fibers) add({base_ + fiber.address, fiber.bytes});
  }
  close();
  send();
  return requested_;
}

void FiberIntake::add(AddressRange range) {
  while (range.bytes > 0) {
    const std::uint64_t bytes = cut_ ? std::min(range.bytes, chunk_ - open_.bytes) : range.bytes;
    open_.ranges.push_back({range.address, bytes});
    open_.bytes += bytes;
    range.address += bytes;
    range.bytes -= bytes;
    if (open_.bytes >= chunk_) close();
  }
}

void FiberIntake::close() {
  if (open_.bytes == 0) return;
  requested_ += open_.bytes;
  to_send_.push_back(std::move(open_));
  open_ = {};
}

void FiberIntake::send() {
  while (!to_send_.empty() && port_.under_way() < limit_) {
    const Asking& asking = to_send_.front();
    sent_ += asking.bytes;
    ends_.push_back(sent_);
    port_.send({tensor_, false, asking.ranges, asking.bytes});
    to_send_.pop_front();
  }
}

std::uint64_t FiberIntake::arrived() {
  while (port_.take()) {
    arrived_ = ends_.front();
    ends_.pop_front();
  }
  send();
  return arrived_;
}

std::uint64_t BufferIntake::request(const std::vector<StoredRange>& fibers, std::uint64_t walks) {
  std::uint64_t bytes = 0;
  for (const StoredRange& fiber : fibers) bytes += fiber.bytes;
  const std::uint64_t resident = residency_.resident(bytes, room_);
  for (std::uint64_t walk = 0; walk < walks; ++walk) {
    std::uint64_t skipped = walk == 0 ? 0 : resident;
    for (const StoredRange& fiber : fibers) {
      const std::uint64_t out = std::min(skipped, fiber.bytes);
      skipped -= out;
      stream_.request({fiber.address + out, fiber.bytes - out});
    }
  }
  return stream_.requested();
}

void BufferIntake::use(std::uint64_t begin, std::uint64_t end, bool over) {
  const std::uint64_t there = std::min(stream_.arrived(), end);
  if (!over && end - begin <= room_) return;
  if (there <= released_) return;
  stream_.release(there - released_);
  released_ = there;
}

}  // namespace lacuna
