// SPDX-License-Identifier: Apache-2.0
// Outputs on their way to memory: into the buffer through its port, then first in, first out, at
// most a few requests under way. Pieces of one range that wait behind each other leave as one
// request: how small the pieces were in which they came makes them no slower.
#pragma once

#include <deque>

#include "arch/buffer/stream_module.hpp"

namespace lacuna {

class DrainModule : public sc_core::sc_module {
 public:
  SC_HAS_PROCESS(DrainModule);
  DrainModule(const sc_core::sc_module_name& name, sim::Simulation& simulation,
              const MemoryClient& client, FillPort port = {});

  /// Accepts a range of the tensor; it may continue the one before.
  void write(Tensor tensor, const AddressRange& range, bool continues = false);
  /// For the unit that writes: bytes accepted and not yet written.
  [[nodiscard]] std::uint64_t pending() const { return accepted_ - written_.seen(); }
  /// They became fewer.
  [[nodiscard]] sc_core::sc_event& progress() { return progress_; }

 private:
  LACUNA_PROCESS(pump);
  void enter(std::uint64_t bytes);
  void send();
  [[nodiscard]] bool next_is_in();
  [[nodiscard]] std::string blocked_on() const;

  struct Item {
    Tensor tensor;
    AddressRange range;
    bool continues;
    std::optional<Cycles> entered;  // when it is in the buffer, once that is known
  };
  struct InFlight {
    Cycles begin;
    std::uint64_t bytes;
    std::size_t items;  // that end with it
  };
  sim::Simulation& simulation_;
  MemoryPort memory_;
  std::uint64_t chunk_;
  std::uint64_t limit_;
  TensorRegions regions_;
  FillPort port_;
  std::uint64_t accepted_ = 0;
  sim::Registered<std::uint64_t> written_, items_;  // items accepted
  std::uint64_t items_begun_ = 0;                   // sent whole
  std::size_t entered_ = 0;                         // of the queue: known when
  std::deque<Item> queue_;
  std::deque<InFlight> in_flight_;
  sc_core::sc_event wake_, entry_, progress_;
};

}  // namespace lacuna
