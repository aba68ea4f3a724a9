// SPDX-License-Identifier: Apache-2.0
#include "arch/buffer/drain_module.hpp"

#include <algorithm>

namespace lacuna {

DrainModule::DrainModule(const sc_core::sc_module_name& name, sim::Simulation& simulation,
                         const MemoryClient& client, FillPort port)
    : sc_core::sc_module(name),
      simulation_(simulation),
      memory_("memory", simulation, client.memory, client.rank),
      chunk_(client.chunk),
      limit_(client.outstanding),
      regions_(client.regions),
      port_(port),
      wake_("wake"),
      entry_("entry"),
      progress_("progress") {
  LACUNA_METHOD(pump);
  sensitive << wake_ << entry_ << memory_.answered();
  simulation.watch(this->name(), [this] { return blocked_on(); });
}

void DrainModule::write(Tensor tensor, const AddressRange& range, bool continues) {
  if (range.bytes == 0) return;
  accepted_ += range.bytes;
  simulation_.issue();
  queue_.push_back({tensor, range, continues, {}});
  items_.add(1);
  enter(range.bytes);
  simulation_.wake(wake_);
}

void DrainModule::enter(std::uint64_t bytes) {
  if (port_.port == nullptr) {
    queue_[entered_++].entered = simulation_.now();
    return;
  }
  const sim::Ticks now = simulation_.now_ticks();
  port_.port->write(port_.rank, now, now, bytes, [this, now](sim::Ticks late) {
    const Cycles entered = sim::to_cycles_up(sim::sum(now, late));
    queue_[entered_++].entered = entered;  // items pass in their order
    simulation_.at(entered, entry_);
  });
}

/// Whether the oldest item is in the buffer by now.
bool DrainModule::next_is_in() {
  const std::optional<Cycles> entered = queue_.front().entered;
  if (!entered) return false;
  if (*entered > simulation_.now()) simulation_.at(*entered, entry_);
  return *entered <= simulation_.now();
}

void DrainModule::pump() {
  bool moved = false;
  for (; memory_.take(); moved = true) {
    const InFlight& done = in_flight_.front();
    if (sim::Timeline* timeline = simulation_.timeline()) {
      timeline->slice(timeline->row(name()), "write", done.begin, simulation_.now(), done.bytes,
                      "bytes");
    }
    written_.add(done.bytes);
    for (std::size_t item = 0; item < done.items; ++item) simulation_.retire();
    in_flight_.pop_front();
  }
  if (moved) simulation_.wake(progress_);
  while (in_flight_.size() < limit_ && items_begun_ < items_.seen() && next_is_in()) send();
}

/// One request: what it begins with, and what continues it and has been waiting behind it.
void DrainModule::send() {
  const Item& first = queue_.front();
  const Tensor tensor = first.tensor;
  const bool continues = first.continues;
  AddressRange whole{regions_.of(tensor) + first.range.address, 0};
  InFlight request{simulation_.now(), 0, 0};
  do {
    Item& item = queue_.front();
    const std::uint64_t part = std::min(chunk_ - whole.bytes, item.range.bytes);
    whole.bytes += part;
    item.range.address += part;
    item.range.bytes -= part;
    item.continues = true;
    if (item.range.bytes > 0) break;
    queue_.pop_front();
    --entered_;
    ++items_begun_;
    ++request.items;
  } while (whole.bytes < chunk_ && items_begun_ < items_.seen() && queue_.front().continues &&
           queue_.front().tensor == tensor &&
           regions_.of(tensor) + queue_.front().range.address == whole.end() && next_is_in());
  request.bytes = whole.bytes;
  in_flight_.push_back(request);
  memory_.send({tensor, true, {&whole, 1}, whole.bytes, continues});
}

std::string DrainModule::blocked_on() const {
  if (in_flight_.empty()) return {};
  return fmt::format("the memory: {} bytes not yet written", accepted_ - written_.latest());
}

}  // namespace lacuna
