// SPDX-License-Identifier: Apache-2.0
// A unit's side of a memory: requests go out, answers come back in the order of the requests,
// whatever order the memory answers in.
#pragma once

#include <algorithm>
#include <deque>
#include <optional>

#include "arch/memory/i_memory.hpp"
#include "arch/memory/regions.hpp"
#include "sim/simulation.hpp"

namespace lacuna {

/// Which client of which memory a unit is, and how it asks.
struct MemoryClient {
  IMemory& memory;
  unsigned rank;
  std::uint64_t chunk;        // bytes of its largest request
  std::uint64_t outstanding;  // requests under way at most
  TensorRegions regions = kFixedRegions;
};

class MemoryPort {
 public:
  /// Of several clients that ask within a delta the one of lower `rank` comes first.
  MemoryPort(const char* name, sim::Simulation& simulation, IMemory& memory, unsigned rank);
  MemoryPort(const MemoryPort&) = delete;
  MemoryPort& operator=(const MemoryPort&) = delete;

  // For the unit.
  void send(const MemoryRequest& request);
  /// Requests not yet taken.
  [[nodiscard]] std::size_t under_way() const { return under_way_.size(); }
  /// Takes the oldest request under way if it has been answered, with the cycle in which its first
  /// byte came; if not, `answered` fires when it is.
  std::optional<Cycles> take();
  [[nodiscard]] sc_core::sc_event& answered() { return event_; }

  // For the memory.
  [[nodiscard]] unsigned rank() const { return rank_; }
  /// Request `id` is done at cycle `when`, now or later; the unit sees it in the next delta at the
  /// soonest. Its first byte comes at `first`; without one all come together.
  void answer(std::uint64_t id, Cycles when, std::optional<Cycles> first = {});

 private:
  struct Answer {
    bool known = false;
    Cycles when, first;
    std::uint64_t given_in = 0;  // delta
  };
  void wake_for(const Answer& answer) {
    simulation_.at(std::max(answer.when, simulation_.now()), event_);
  }

  sim::Simulation& simulation_;
  IMemory& memory_;
  unsigned rank_;
  std::deque<Answer> under_way_;
  std::uint64_t oldest_ = 0;  // its id
  sc_core::sc_event event_;
};

}  // namespace lacuna
