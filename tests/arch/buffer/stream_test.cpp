// SPDX-License-Identifier: Apache-2.0
// Do streams keep to their chunks, their requests under way and their room, and do they ask for
// the addresses that they were told? Times follow from those of the memory (fixed_memory_test.cpp).
#include "tests/arch/buffer/streams.hpp"
#include "tests/arch/memory/held_memory.hpp"

using namespace lacuna;
using namespace lacuna::test;

// Chunks of 400, 400 and 200 bytes at 10 a cycle pass at 40, 80 and 100.
TEST_CASE("a stream's bytes are there chunk by chunk, at the cycle and not before it") {
  Streams rig(memory_of(10, 50, 400));
  rig.run([&](Process&) { CHECK(rig.first.request({0, 1000}) == 1000); });
  CHECK(rig.arrivals == Moments{{90, 400}, {130, 800}, {150, 1000}});
  CHECK(rig.dram.counts().moved[0] == Moved{1000, 0});
  CHECK(rig.simulation.now() == Cycles(150));
}

TEST_CASE("a stream asks for later bytes when they are wanted, not before") {
  Streams rig(memory_of(10, 50, 400));
  bool late = false;
  rig.run([&](Process& process) {
    CHECK(rig.first.request({0, 100}) == (late ? 200 : 100));
    if (!std::exchange(late, true)) process.sleep(33);
  });
  CHECK(rig.arrivals == Moments{{60, 100}, {93, 200}});
}

// Two requests of one cycle each under way over a latency of 100: the third leaves when the first
// is answered. Two chunks in 101 cycles, however fast the memory is.
TEST_CASE("what a stream may have under way bounds its rate over a far memory") {
  Streams rig(memory_of(64, 100, 64, 2));
  rig.run([&](Process&) { rig.first.request({0, 64 * 20}); });
  REQUIRE(rig.arrivals.size() == 20);
  for (std::uint64_t i = 0; i < 20; ++i) {
    CHECK(rig.arrivals[i] == std::pair{101 * (i / 2 + 1) + i % 2, 64 * (i + 1)});
  }
}

// 101 requests of one cycle cover a latency of 100; one fewer leaves a cycle free in each round.
TEST_CASE("a stream has the memory's whole rate when its requests cover the latency") {
  for (const std::uint64_t outstanding : {100U, 101U, 200U}) {
    Streams rig(memory_of(64, 100, 64, outstanding));
    rig.run([&](Process&) { rig.first.request({0, 64 * 1010}); });
    CHECK(rig.simulation.now() == Cycles(outstanding < 101 ? 100 + 101 * 10 + 10 : 1010 + 100));
  }
}

TEST_CASE("a stream holds no more than its room, and fetches on when room is given back") {
  Streams rig(memory_of(16, 30, 64), 128);
  int step = 0;
  rig.run([&](Process& process) {
    if (step == 0) {
      rig.first.request({0, 300});
      process.sleep(200);
    } else if (step == 1) {
      CHECK(rig.first.arrived() == 128);
      rig.first.release(10);
      process.sleep(100);
    } else {
      CHECK(rig.first.arrived() == 138);
      rig.first.release(128);
    }
    ++step;
  });
  // Two chunks at once; 10 bytes at 200, through at 201; then 64 + 64 of the 128 given back.
  CHECK(rig.arrivals == Moments{{34, 64}, {38, 128}, {231, 138}, {334, 202}, {338, 266}});
}

TEST_CASE("a release of bytes that have not arrived breaks the run") {
  Streams rig(memory_of(16, 30, 64), 128);
  CHECK_THROWS_AS(rig.run([&](Process&) {
    rig.first.request({0, 100});
    rig.first.release(1);
  }),
                  ModelError);
}

// One request each under way and no latency: the memory serves them in turn, 16 cycles a chunk.
TEST_CASE("two streams take turns at the memory, chunk by chunk, the lower rank first") {
  Streams rig(memory_of(64, 0, 1024, 1));
  rig.run([&](Process&) {
    rig.first.request({0, 32 * 1024});
    rig.second.request({0, 32 * 1024});
  });
  REQUIRE(rig.arrivals.size() == 32);
  REQUIRE(rig.second_arrivals.size() == 32);
  for (std::uint64_t i = 0; i < 32; ++i) {
    CHECK(rig.arrivals[i] == std::pair{32 * i + 16, 1024 * (i + 1)});
    CHECK(rig.second_arrivals[i] == std::pair{32 * i + 32, 1024 * (i + 1)});
  }
}

TEST_CASE("a long stream delays a short one by no more than what it may have under way") {
  const std::uint64_t outstanding = 4, chunk_cycles = 16;
  Streams rig(memory_of(64, 0, 1024, outstanding));
  rig.run([&](Process& process) {
    if (rig.first.requested() == 0) {
      rig.first.request({0, 1 << 20});
      process.sleep(1000);
    } else {
      rig.second.request({0, 1024});
    }
  });
  REQUIRE(rig.second_arrivals.size() == 1);
  CHECK(rig.second_arrivals[0].first > 1000 + chunk_cycles);
  CHECK(rig.second_arrivals[0].first <= 1000 + chunk_cycles * (outstanding + 1));
  CHECK(rig.simulation.now() == Cycles((1 << 20) / 64 + chunk_cycles));  // none of the rate is lost
}

namespace {

/// A stream of B before a memory that waits for the test's word.
struct Held {
  sim::Simulation simulation;
  HeldMemory memory;
  StreamModule stream;

  Held(std::uint64_t chunk, std::uint64_t outstanding, std::uint64_t capacity = 1 << 20)
      : stream("stream", simulation, Tensor::b, capacity, {memory, 0, chunk, outstanding}) {}
  void run(const std::function<void(Process&)>& body) {
    Process process("process", simulation, body);
    simulation.run();
  }
  [[nodiscard]] std::vector<AddressRange> ranges(std::size_t request) const {
    return memory.requests.at(request).ranges;
  }
};

constexpr std::uint64_t kB = kFixedRegions.of(Tensor::b);

}  // namespace

TEST_CASE("a stream asks for the addresses of its tensor, a request after the other") {
  Held rig(100, 8);
  rig.run([&](Process&) { rig.stream.request({5000, 250}); });
  REQUIRE(rig.memory.requests.size() == 3);
  CHECK(rig.ranges(0) == std::vector<AddressRange>{{kB + 5000, 100}});
  CHECK(rig.ranges(1) == std::vector<AddressRange>{{kB + 5100, 100}});
  CHECK(rig.ranges(2) == std::vector<AddressRange>{{kB + 5200, 50}});
  CHECK(rig.memory.requests[0].tensor == Tensor::b);
  CHECK_FALSE(rig.memory.requests[0].write);
}

TEST_CASE("what is scattered is asked for together, what touches as one range") {
  Held rig(100, 8);
  rig.run([&](Process&) {
    rig.stream.request({0, 30});
    rig.stream.request({30, 10});
    rig.stream.request({900, 50});
    rig.stream.request({0, 40});  // again
  });
  REQUIRE(rig.memory.requests.size() == 2);
  CHECK(rig.ranges(0) == std::vector<AddressRange>{{kB, 40}, {kB + 900, 50}, {kB, 10}});
  CHECK(rig.memory.requests[0].bytes == 100);
  CHECK(rig.ranges(1) == std::vector<AddressRange>{{kB + 10, 30}});
}

TEST_CASE("bytes arrive in the order of the stream, whatever the memory answers first") {
  Held rig(100, 8);
  int step = 0;
  rig.run([&](Process& self) {
    switch (step++) {
      case 0:
        rig.stream.request({0, 300});
        return self.sleep(1);
      case 1:
        rig.memory.answer(2, Cycles(1));
        return self.sleep(1);
      case 2:
        CHECK(rig.stream.arrived() == 0);
        rig.memory.answer(0, Cycles(2));
        return self.sleep(1);
      case 3:
        CHECK(rig.stream.arrived() == 100);
        rig.memory.answer(1, Cycles(3));
        return self.sleep(1);
      default:
        CHECK(rig.stream.arrived() == 300);
    }
  });
  CHECK(step == 5);
}

TEST_CASE("a memory that never answers a stream is named in the deadlock") {
  Held rig(100, 2);
  rig.simulation.issue();
  const std::string message = error_of([&] {
    rig.run([&](Process&) { rig.stream.request({0, 300}); });
  });
  CHECK(message.find("stream waits for the memory: 200 bytes under way") != std::string::npos);
}
