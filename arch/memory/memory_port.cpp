// SPDX-License-Identifier: Apache-2.0
#include "arch/memory/memory_port.hpp"

#include "sim/registered.hpp"

namespace lacuna {

MemoryPort::MemoryPort(const char* name, sim::Simulation& simulation, IMemory& memory,
                       unsigned rank)
    : simulation_(simulation), memory_(memory), rank_(rank), event_(name) {
  memory.attach(*this);
}

void MemoryPort::send(const MemoryRequest& request) {
  LACUNA_CHECK(request.bytes > 0 && !request.ranges.empty(), "request of {} bytes in {} ranges",
               request.bytes, request.ranges.size());
  const std::uint64_t id = oldest_ + under_way_.size();
  under_way_.emplace_back();
  memory_.send(*this, id, request);
}

void MemoryPort::answer(std::uint64_t id, Cycles when, std::optional<Cycles> first) {
  LACUNA_CHECK(id >= oldest_ && id - oldest_ < under_way_.size() && !under_way_[id - oldest_].known,
               "{}: request {} is not under way", event_.name(), id);
  LACUNA_CHECK(when >= simulation_.now(), "{}: answer for cycle {} at cycle {}", event_.name(),
               when.count(), simulation_.now().count());
  Answer& answer = under_way_[id - oldest_];
  answer = {true, when, std::min(first.value_or(when), when), sim::this_delta()};
  if (id == oldest_) wake_for(answer);
}

std::optional<Cycles> MemoryPort::take() {
  if (under_way_.empty() || !under_way_.front().known) return std::nullopt;
  const Answer answer = under_way_.front();
  if (answer.when > simulation_.now() || answer.given_in == sim::this_delta()) {
    wake_for(answer);
    return std::nullopt;
  }
  under_way_.pop_front();
  ++oldest_;
  simulation_.progress();
  return answer.first;
}

}  // namespace lacuna
