// SPDX-License-Identifier: Apache-2.0
#include "arch/buffer/stream_module.hpp"

#include <algorithm>

namespace lacuna {

StreamModule::StreamModule(const sc_core::sc_module_name& name, sim::Simulation& simulation,
                           Tensor tensor, std::uint64_t capacity, const DramSpec& spec,
                           sim::BufferMeter* buffer)
    : sc_core::sc_module(name),
      dram("dram", simulation),
      simulation_(simulation),
      tensor_(tensor),
      capacity_(capacity),
      chunk_(spec.chunk.count()),
      limit_(spec.outstanding),
      meter_(buffer),
      wake_("wake"),
      arrival_("arrival") {
  LACUNA_METHOD(pump);
  sensitive << wake_;
  simulation.watch(this->name(), [this] { return blocked_on(); });
}

std::uint64_t StreamModule::request(std::uint64_t bytes) {
  requested_ += bytes;
  if (bytes > 0) wake_.notify(sc_core::SC_ZERO_TIME);
  return requested_;
}

void StreamModule::release(std::uint64_t bytes) {
  released_ += bytes;
  LACUNA_CHECK(released_ <= arrived_, "{}: {} bytes released, {} arrived", name(), released_,
               arrived_);
  meter_.release(bytes);
  if (bytes > 0) wake_.notify(sc_core::SC_ZERO_TIME);
}

void StreamModule::pump() {
  const Cycles now = simulation_.now();
  bool moved = false;
  while (!in_flight_.empty() && in_flight_.front().done <= now) {
    arrived_ = in_flight_.front().end;
    in_flight_.pop_front();
    moved = true;
  }
  if (moved) arrival_.notify(sc_core::SC_ZERO_TIME);
  while (in_flight_.size() < limit_ && issued_ < requested_ && issued_ - released_ < capacity_) {
    const std::uint64_t bytes =
        std::min({chunk_, requested_ - issued_, capacity_ - (issued_ - released_)});
    issued_ += bytes;
    meter_.fill(bytes);  // room is taken from the request on
    Cycles done = dram.request(tensor_, false, bytes);
    // Replies of one unit stay in order, whatever stalls are injected.
    if (!in_flight_.empty()) done = std::max(done, in_flight_.back().done);
    in_flight_.push_back({done, issued_});
    if (sim::Timeline* timeline = simulation_.timeline()) {
      timeline->slice(timeline->row(name()), "fetch", now, done, bytes, "bytes");
    }
  }
  LACUNA_CHECK(issued_ - released_ <= capacity_, "{} holds {} of {} bytes", name(),
               issued_ - released_, capacity_);
  if (!in_flight_.empty()) simulation_.at(std::max(in_flight_.front().done, now), wake_);
}

std::string StreamModule::blocked_on() const {
  if (issued_ == requested_) return {};
  return fmt::format("room: {} of {} bytes held, {} bytes still to fetch", issued_ - released_,
                     capacity_, requested_ - issued_);
}

DrainModule::DrainModule(const sc_core::sc_module_name& name, sim::Simulation& simulation,
                         const DramSpec& spec)
    : sc_core::sc_module(name),
      dram("dram", simulation),
      simulation_(simulation),
      chunk_(spec.chunk.count()),
      limit_(spec.outstanding),
      wake_("wake"),
      progress_("progress") {
  LACUNA_METHOD(pump);
  sensitive << wake_;
}

void DrainModule::write(Tensor tensor, std::uint64_t bytes) {
  if (bytes == 0) return;
  pending_ += bytes;
  simulation_.issue();
  queue_.push_back({tensor, bytes});
  wake_.notify(sc_core::SC_ZERO_TIME);
}

void DrainModule::pump() {
  const Cycles now = simulation_.now();
  while (!in_flight_.empty() && in_flight_.front().first <= now) {
    pending_ -= in_flight_.front().second;
    in_flight_.pop_front();
    progress_.notify(sc_core::SC_ZERO_TIME);
  }
  while (in_flight_.size() < limit_ && !queue_.empty()) {
    Item& item = queue_.front();
    const std::uint64_t bytes = std::min(chunk_, item.bytes);
    Cycles done = dram.request(item.tensor, true, bytes);
    if (!in_flight_.empty()) done = std::max(done, in_flight_.back().first);
    in_flight_.emplace_back(done, bytes);
    if (sim::Timeline* timeline = simulation_.timeline()) {
      timeline->slice(timeline->row(name()), "write", now, done, bytes, "bytes");
    }
    item.bytes -= bytes;
    if (item.bytes == 0) {
      queue_.pop_front();
      simulation_.retire();
    }
  }
  if (!in_flight_.empty()) simulation_.at(std::max(in_flight_.front().first, now), wake_);
}

}  // namespace lacuna
