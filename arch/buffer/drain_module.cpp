// SPDX-License-Identifier: Apache-2.0
#include "arch/buffer/drain_module.hpp"

#include <algorithm>

namespace lacuna {

DrainModule::DrainModule(const sc_core::sc_module_name& name, sim::Simulation& simulation,
                         const MemoryClient& client)
    : sc_core::sc_module(name),
      simulation_(simulation),
      memory_("memory", simulation, client.memory, client.rank),
      chunk_(client.chunk),
      limit_(client.outstanding),
      regions_(client.regions),
      wake_("wake"),
      progress_("progress") {
  LACUNA_METHOD(pump);
  sensitive << wake_ << memory_.answered();
  simulation.watch(this->name(), [this] { return blocked_on(); });
}

void DrainModule::write(Tensor tensor, const AddressRange& range) {
  if (range.bytes == 0) return;
  accepted_ += range.bytes;
  simulation_.issue();
  queue_.push_back({tensor, range});
  items_.add(1);
  simulation_.wake(wake_);
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
    if (done.last) simulation_.retire();
    in_flight_.pop_front();
  }
  if (moved) simulation_.wake(progress_);
  while (in_flight_.size() < limit_ && items_begun_ < items_.seen()) {
    Item& item = queue_.front();
    const AddressRange part{regions_.of(item.tensor) + item.range.address,
                            std::min(chunk_, item.range.bytes)};
    item.range.address += part.bytes;
    item.range.bytes -= part.bytes;
    in_flight_.push_back({simulation_.now(), part.bytes, item.range.bytes == 0});
    memory_.send({item.tensor, true, {&part, 1}, part.bytes});
    if (item.range.bytes == 0) {
      queue_.pop_front();
      ++items_begun_;
    }
  }
}

std::string DrainModule::blocked_on() const {
  if (in_flight_.empty()) return {};
  return fmt::format("the memory: {} bytes not yet written", accepted_ - written_.latest());
}

}  // namespace lacuna
