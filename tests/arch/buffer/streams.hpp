// SPDX-License-Identifier: Apache-2.0
// Memory with two streams and a drain, and when each of them moved on.
#pragma once

#include "arch/buffer/drain_module.hpp"
#include "arch/memory/fixed_memory.hpp"
#include "tests/catch.hpp"
#include "tests/sim/process.hpp"
#include "tests/sim/watcher.hpp"

namespace lacuna::test {

using Moments = std::vector<std::pair<std::uint64_t, std::uint64_t>>;  // cycle, bytes

inline DramSpec memory_of(double rate, std::uint64_t latency, std::uint64_t chunk = 16384,
                          std::uint64_t outstanding = 4) {
  DramSpec spec;
  spec.bytes_per_cycle = rate;
  spec.latency = Cycles(latency);
  spec.chunk = Bytes(chunk);
  spec.outstanding = outstanding;
  return spec;
}

inline MemoryClient client_of(IMemory& memory, unsigned rank, const DramSpec& spec) {
  return {memory, rank, spec.chunk.count(), spec.outstanding};
}

/// `arrivals` are what the first stream has, and when.
struct Streams {
  sim::Simulation simulation;
  FixedMemory dram;
  StreamModule first, second;
  DrainModule drain;
  Moments arrivals, second_arrivals, drained;
  Watcher on_first, on_second, on_drain;

  explicit Streams(const DramSpec& spec, std::uint64_t capacity = 1 << 20)
      : dram("dram", simulation, spec),
        first("first", simulation, Tensor::a, capacity, client_of(dram, 0, spec)),
        second("second", simulation, Tensor::b, capacity, client_of(dram, 1, spec)),
        drain("drain", simulation, client_of(dram, 2, spec)),
        on_first("on_first", simulation, first.arrival(),
                 [this] { arrivals.emplace_back(simulation.now().count(), first.arrived()); }),
        on_second(
            "on_second", simulation, second.arrival(),
            [this] { second_arrivals.emplace_back(simulation.now().count(), second.arrived()); }),
        on_drain("on_drain", simulation, drain.progress(),
                 [this] { drained.emplace_back(simulation.now().count(), drain.pending()); }) {}
  void run(const std::function<void(Process&)>& body) {
    Process process("process", simulation, body);
    simulation.run();
  }
};

}  // namespace lacuna::test
