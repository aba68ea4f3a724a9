// SPDX-License-Identifier: Apache-2.0
// The smallest client of a memory: it asks for ranges when it is told to and remembers when each
// answer came.
#pragma once

#include "arch/memory/memory_port.hpp"

namespace lacuna::test {

class Asker : public sc_core::sc_module {
 public:
  SC_HAS_PROCESS(Asker);
  Asker(const sc_core::sc_module_name& name, sim::Simulation& simulation, IMemory& memory,
        unsigned rank)
      : sc_core::sc_module(name), simulation_(simulation), port_("port", simulation, memory, rank) {
    LACUNA_METHOD(look);
    sensitive << port_.answered();
  }
  void ask(Tensor tensor, bool write, std::uint64_t bytes, std::uint64_t address = 0) {
    const AddressRange range{address, bytes};
    port_.send({tensor, write, {&range, 1}, bytes});
  }
  void ask_ranges(Tensor tensor, std::span<const AddressRange> ranges) {
    std::uint64_t bytes = 0;
    for (const AddressRange& range : ranges) bytes += range.bytes;
    port_.send({tensor, false, ranges, bytes});
  }
  void read(std::uint64_t bytes) { ask(Tensor::a, false, bytes); }

  std::vector<std::uint64_t> answers;  // cycles

 private:
  LACUNA_PROCESS(look) {
    while (port_.take()) answers.push_back(simulation_.now().count());
  }

  sim::Simulation& simulation_;
  MemoryPort port_;
};

}  // namespace lacuna::test
