// SPDX-License-Identifier: Apache-2.0
#include "arch/buffer/stream_module.hpp"

#include <algorithm>

namespace lacuna {

StreamModule::StreamModule(const sc_core::sc_module_name& name, sim::Simulation& simulation,
                           Tensor tensor, std::uint64_t capacity, const MemoryClient& client,
                           std::vector<StreamSink> sinks, std::size_t consumers)
    : sc_core::sc_module(name),
      simulation_(simulation),
      memory_("memory", simulation, client.memory, client.rank),
      sinks_(std::move(sinks)),
      tensor_(tensor),
      base_(client.regions.of(tensor)),
      capacity_(capacity),
      chunk_(client.chunk),
      limit_(client.outstanding),
      entered_(sinks_.size(), 0),
      given_back_(consumers, 0),
      wake_("wake"),
      entry_("entry"),
      arrival_("arrival") {
  LACUNA_METHOD(pump);
  sensitive << wake_ << entry_ << memory_.answered();
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

void StreamModule::request_in(Order order, std::uint64_t bytes) {
  if (bytes == 0) return;
  order_ = std::move(order);
  requested_.add(bytes);
  simulation_.wake(wake_);
}

void StreamModule::release(std::uint64_t bytes, std::size_t consumer) {
  if (bytes == 0) return;
  given_back_[consumer] += bytes;
  const std::uint64_t by_all = *std::min_element(given_back_.begin(), given_back_.end());
  const std::uint64_t leaving = by_all - released_.latest();
  if (leaving == 0) return;
  released_.add(leaving);
  LACUNA_CHECK(released_.latest() <= arrived_.seen(), "{}: {} bytes released, {} arrived", name(),
               released_.latest(), arrived_.seen());
  meter_.release(sim::this_delta(), leaving);
  for (const StreamSink& sink : sinks_) {
    if (sink.buffer != nullptr) sink.buffer->release(sim::this_delta(), leaving);
  }
  simulation_.wake(wake_);
}

void StreamModule::pump() {
  while (const auto first = memory_.take()) enter(*first);
  bool moved = false;
  while (take_in()) moved = true;
  if (moved) simulation_.wake(arrival_);
  while (in_flight_.size() < limit_) {
    const std::uint64_t bytes = may_fetch();
    if (bytes == 0) break;
    fetch(bytes);
  }
}

/// Bytes of the next request: there is room for them, and they are one operation's.
std::uint64_t StreamModule::may_fetch() const {
  const std::uint64_t held = issued_ - released_.seen();
  const std::uint64_t room = leases_ ? leases_->room(over_.seen(), written_.seen()) : capacity_;
  std::uint64_t end = requested_.seen();
  if (leases_) end = std::min(end, leases_->end());
  if (room <= held || end <= issued_) return 0;
  return std::min({chunk_, end - issued_, room - held});
}

void StreamModule::over(std::size_t operations, std::size_t written) {
  if (operations == over_.latest() && written == written_.latest()) return;
  over_.set(operations);
  written_.set(written);
  simulation_.wake(wake_);
}

/// The oldest request that memory had not answered passes the ports of the buffers.
void StreamModule::enter(Cycles first) {
  const std::uint64_t bytes = in_flight_[answered_++].bytes;
  const sim::Ticks last = simulation_.now_ticks();
  for (std::size_t i = 0; i < sinks_.size(); ++i) {
    const FillPort& fill = sinks_[i].fill;
    if (fill.port == nullptr) {
      entered(i, simulation_.now());
      continue;
    }
    fill.port->fill(fill.rank, sim::to_ticks(first), last, bytes, [this, i, last](sim::Ticks late) {
      const Cycles when = sim::to_cycles_up(sim::sum(last, late));
      entered(i, when);
      simulation_.at(when, entry_);
    });
  }
}

/// A client's requests pass a port in their order.
void StreamModule::entered(std::size_t sink, Cycles when) {
  InFlight& request = in_flight_[entered_[sink]++];
  request.entered = std::max(request.entered, when);
  --request.outside;
}

/// Whether the oldest request is in the buffer by now; then it is taken off the list.
bool StreamModule::take_in() {
  if (in_flight_.empty()) return false;
  const InFlight& request = in_flight_.front();
  if (request.outside > 0) return false;
  if (request.entered > simulation_.now()) {
    simulation_.at(request.entered, entry_);
    return false;
  }
  if (sim::Timeline* timeline = simulation_.timeline()) {
    timeline->slice(timeline->row(name()), "fetch", request.begin, simulation_.now(), request.bytes,
                    "bytes");
  }
  arrived_.set(request.end);
  in_flight_.pop_front();
  --answered_;
  for (std::size_t& known : entered_) --known;
  return true;
}

void StreamModule::fetch(std::uint64_t bytes) {
  of_request_.clear();
  for (std::uint64_t left = bytes; left > 0;) {
    if (wanted_.empty()) {
      wanted_.emplace_back();
      LACUNA_CHECK(order_ && order_(wanted_.back()), "{}: {} bytes are wanted from nowhere", name(),
                   left);
    }
    AddressRange& next = wanted_.front();
    const std::uint64_t part = std::min(left, next.bytes);
    const bool goes_on = !of_request_.empty() && of_request_.back().end() == base_ + next.address;
    if (goes_on) {
      of_request_.back().bytes += part;
    } else {
      of_request_.push_back({base_ + next.address, part});
    }
    next.address += part;
    next.bytes -= part;
    left -= part;
    if (next.bytes == 0) wanted_.pop_front();
  }
  issued_ += bytes;
  if (leases_) leases_->issued(issued_);
  meter_.fill(sim::this_delta(), bytes);  // room is taken from the request on
  for (const StreamSink& sink : sinks_) {
    if (sink.buffer != nullptr) sink.buffer->fill(sim::this_delta(), bytes);
  }
  in_flight_.push_back({simulation_.now(), issued_, bytes, sinks_.size(), Cycles(0)});
  memory_.send({tensor_, false, of_request_, bytes});
}

std::string StreamModule::blocked_on() const {
  if (!in_flight_.empty()) {
    return fmt::format("the memory: {} bytes under way", issued_ - arrived_.latest());
  }
  if (issued_ == requested_.latest()) return {};
  const std::uint64_t room = leases_ ? leases_->room(over_.latest(), written_.latest()) : capacity_;
  return fmt::format("room: {} of {} bytes held, {} bytes still to fetch",
                     issued_ - released_.latest(), room, requested_.latest() - issued_);
}

}  // namespace lacuna
