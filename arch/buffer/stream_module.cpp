// SPDX-License-Identifier: Apache-2.0
#include "arch/buffer/stream_module.hpp"

#include <algorithm>

namespace lacuna {

StreamModule::StreamModule(const sc_core::sc_module_name& name, sim::Simulation& simulation,
                           Tensor tensor, std::uint64_t capacity, const MemoryClient& client,
                           sim::BufferMeter* buffer)
    : sc_core::sc_module(name),
      simulation_(simulation),
      memory_("memory", simulation, client.memory, client.rank),
      tensor_(tensor),
      base_(client.regions.of(tensor)),
      capacity_(capacity),
      chunk_(client.chunk),
      limit_(client.outstanding),
      meter_(buffer),
      wake_("wake"),
      arrival_("arrival") {
  LACUNA_METHOD(pump);
  sensitive << wake_ << memory_.answered();
  simulation.watch(this->name(), [this] { return blocked_on(); });
}

std::uint64_t StreamModule::request(const AddressRange& range) {
  if (range.bytes == 0) return requested_.latest();
  if (!wanted_.empty() && wanted_.back().end() == range.address) {
    wanted_.back().bytes += range.bytes;
  } else {
    wanted_.push_back(range);
  }
  requested_.add(range.bytes);
  simulation_.wake(wake_);
  return requested_.latest();
}

void StreamModule::release(std::uint64_t bytes) {
  if (bytes == 0) return;
  released_.add(bytes);
  LACUNA_CHECK(released_.latest() <= arrived_.seen(), "{}: {} bytes released, {} arrived", name(),
               released_.latest(), arrived_.seen());
  meter_.release(sim::this_delta(), bytes);
  simulation_.wake(wake_);
}

void StreamModule::pump() {
  bool moved = false;
  for (; memory_.take(); moved = true) {
    const InFlight& arrived = in_flight_.front();
    if (sim::Timeline* timeline = simulation_.timeline()) {
      timeline->slice(timeline->row(name()), "fetch", arrived.begin, simulation_.now(),
                      arrived.end - arrived_.latest(), "bytes");
    }
    arrived_.set(arrived.end);
    in_flight_.pop_front();
  }
  if (moved) simulation_.wake(arrival_);
  while (in_flight_.size() < limit_ && issued_ < requested_.seen() &&
         issued_ - released_.seen() < capacity_) {
    fetch(
        std::min({chunk_, requested_.seen() - issued_, capacity_ - (issued_ - released_.seen())}));
  }
}

void StreamModule::fetch(std::uint64_t bytes) {
  of_request_.clear();
  for (std::uint64_t left = bytes; left > 0;) {
    AddressRange& next = wanted_.front();
    const std::uint64_t part = std::min(left, next.bytes);
    of_request_.push_back({base_ + next.address, part});
    next.address += part;
    next.bytes -= part;
    left -= part;
    if (next.bytes == 0) wanted_.pop_front();
  }
  issued_ += bytes;
  meter_.fill(sim::this_delta(), bytes);  // room is taken from the request on
  in_flight_.push_back({simulation_.now(), issued_});
  memory_.send({tensor_, false, of_request_, bytes});
}

std::string StreamModule::blocked_on() const {
  if (!in_flight_.empty()) {
    return fmt::format("the memory: {} bytes under way", issued_ - arrived_.latest());
  }
  if (issued_ == requested_.latest()) return {};
  return fmt::format("room: {} of {} bytes held, {} bytes still to fetch",
                     issued_ - released_.latest(), capacity_, requested_.latest() - issued_);
}

}  // namespace lacuna
