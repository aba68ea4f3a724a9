// SPDX-License-Identifier: Apache-2.0
// Does the drain write in order, chunk by chunk, with no more requests under way than it may, and
// to the addresses that it was told?
#include "tests/arch/buffer/streams.hpp"
#include "tests/arch/memory/held_memory.hpp"

using namespace lacuna;
using namespace lacuna::test;

TEST_CASE("what drains is pending until it is written, chunk by chunk") {
  Streams rig(memory_of(10, 50, 400));
  rig.run([&](Process&) {
    rig.drain.write(Tensor::z, {0, 1000});
    CHECK(rig.drain.pending() == 1000);
  });
  CHECK(rig.drained == Moments{{90, 600}, {130, 200}, {150, 0}});
}

TEST_CASE("writes drain in order, each tensor's bytes counted as its own") {
  Streams rig(memory_of(10, 0, 400));
  rig.run([&](Process&) {
    rig.drain.write(Tensor::z_partial, {0, 30});
    rig.drain.write(Tensor::z, {0, 0});
    rig.drain.write(Tensor::z, {0, 500});
  });
  CHECK(rig.drained == Moments{{3, 500}, {43, 100}, {53, 0}});
  CHECK(rig.dram.counts().moved == MovedByTensor{Moved{0, 0}, {0, 0}, {0, 500}, {0, 30}, {0, 0}});
}

TEST_CASE("a drain has no more requests under way than it may") {
  Streams rig(memory_of(64, 100, 64, 2));
  rig.run([&](Process&) { rig.drain.write(Tensor::z, {0, 64 * 6}); });
  CHECK(rig.drained ==
        Moments{{101, 320}, {102, 256}, {202, 192}, {203, 128}, {303, 64}, {304, 0}});
}

TEST_CASE("a drain writes each tensor to its own addresses, partial outputs in their output's") {
  sim::Simulation simulation;
  HeldMemory memory;
  DrainModule drain("drain", simulation, {memory, 0, 100, 8});
  Process process("process", simulation, [&](Process& self) {
    if (memory.requests.empty()) {
      drain.write(Tensor::z_partial, {700, 30});
      drain.write(Tensor::z, {40, 150});
      return self.sleep(9);
    }
    for (std::size_t i = 0; i < 3; ++i) memory.answer(i, simulation.now());
  });
  simulation.run();
  constexpr std::uint64_t z = kFixedRegions.of(Tensor::z);
  REQUIRE(memory.requests.size() == 3);
  CHECK(memory.requests[0].ranges == std::vector<AddressRange>{{z + 700, 30}});
  CHECK(memory.requests[0].tensor == Tensor::z_partial);
  CHECK(memory.requests[1].ranges == std::vector<AddressRange>{{z + 40, 100}});
  CHECK(memory.requests[2].ranges == std::vector<AddressRange>{{z + 140, 50}});
  CHECK(memory.requests[2].write);
  CHECK(drain.pending() == 0);
}

// Four pieces wait while the first is under way; what is no continuation goes by itself.
TEST_CASE("pieces that wait behind each other and continue each other leave as one request") {
  sim::Simulation simulation;
  HeldMemory memory;
  DrainModule drain("drain", simulation, {memory, 0, 100, 1});
  Process process("process", simulation, [&](Process& self) {
    if (memory.requests.empty()) {
      drain.write(Tensor::z, {0, 30});
      drain.write(Tensor::z, {30, 7}, true);
      drain.write(Tensor::z, {37, 90}, true);
      drain.write(Tensor::z, {127, 5}, true);
      drain.write(Tensor::z, {132, 5});
      return self.sleep(9);
    }
    memory.answer(memory.requests.size() - 1, simulation.now());
    if (memory.requests.size() < 3) self.sleep(9);
  });
  simulation.run();
  std::vector<std::uint64_t> bytes;
  for (const auto& request : memory.requests) bytes.push_back(request.ranges.front().bytes);
  CHECK(bytes == std::vector<std::uint64_t>{100, 32, 5});
  CHECK(drain.pending() == 0);
}

TEST_CASE("a write that the memory never answers is work left over, and the drain says so") {
  sim::Simulation simulation;
  HeldMemory memory;
  DrainModule drain("drain", simulation, {memory, 0, 100, 8});
  Process process("process", simulation, [&](Process&) { drain.write(Tensor::z, {0, 150}); });
  const std::string message = error_of([&] { simulation.run(); });
  CHECK(message.find("deadlock at cycle 0: 1 items outstanding") != std::string::npos);
  CHECK(message.find("drain waits for the memory: 150 bytes not yet written") != std::string::npos);
}
