// SPDX-License-Identifier: Apache-2.0
// Does the memory answer exactly when its rate and its latency say, and no sooner; does it share
// its rate among clients; and do streams and the drain keep to their chunks, their requests under
// way and their room? Every time below follows from: a request that starts at t and moves n bytes
// at r bytes a cycle is answered at ceil(t + n / r) + latency, and starts when the one before it
// has passed.
#include <fmt/format.h>

#include "arch/buffer/stream_module.hpp"
#include "tests/arch/watcher.hpp"
#include "tests/catch.hpp"
#include "tests/sim/process.hpp"

using namespace lacuna;
using lacuna::test::Process;
using lacuna::test::Watcher;

namespace {

using Moments = std::vector<std::pair<std::uint64_t, std::uint64_t>>;  // cycle, bytes

DramSpec memory(double rate, std::uint64_t latency, std::uint64_t chunk = 16384,
                std::uint64_t outstanding = 4) {
  DramSpec spec;
  spec.bytes_per_cycle = rate;
  spec.latency = Cycles(latency);
  spec.chunk = Bytes(chunk);
  spec.outstanding = outstanding;
  return spec;
}

/// Sockets stand in a module.
struct Clients : sc_core::sc_module {
  DramClient first, second;

  Clients(const sc_core::sc_module_name& name, sim::Simulation& simulation)
      : sc_core::sc_module(name), first("first", simulation), second("second", simulation) {}
};

/// A memory with two clients of its own.
struct TwoClients {
  sim::Simulation simulation;
  DramModule dram;
  Clients clients;
  DramClient& first = clients.first;
  DramClient& second = clients.second;

  explicit TwoClients(const DramSpec& spec)
      : dram("dram", simulation, spec), clients("clients", simulation) {
    first.socket.bind(dram.socket);
    second.socket.bind(dram.socket);
  }
  /// Runs `body` at cycle zero, and again whenever it sleeps.
  void run(const std::function<void(Process&)>& body) {
    Process process("process", simulation, body);
    simulation.run();
  }
};

/// A memory with two streams and a drain; `arrivals` are what the first stream has, and when.
struct Streams {
  sim::Simulation simulation;
  DramModule dram;
  StreamModule first, second;
  DrainModule drain;
  Moments arrivals, second_arrivals, drained;
  Watcher on_first, on_second, on_drain;

  explicit Streams(const DramSpec& spec, std::uint64_t capacity = 1 << 20)
      : dram("dram", simulation, spec),
        first("first", simulation, Tensor::a, capacity, spec),
        second("second", simulation, Tensor::b, capacity, spec),
        drain("drain", simulation, spec),
        on_first("on_first", simulation, first.arrival(),
                 [this] { arrivals.emplace_back(simulation.now().count(), first.arrived()); }),
        on_second(
            "on_second", simulation, second.arrival(),
            [this] { second_arrivals.emplace_back(simulation.now().count(), second.arrived()); }),
        on_drain("on_drain", simulation, drain.progress(),
                 [this] { drained.emplace_back(simulation.now().count(), drain.pending()); }) {
    first.dram.socket.bind(dram.socket);
    second.dram.socket.bind(dram.socket);
    drain.dram.socket.bind(dram.socket);
  }
  void run(const std::function<void(Process&)>& body) {
    Process process("process", simulation, body);
    simulation.run();
  }
};

}  // namespace

TEST_CASE("an idle memory answers after the transfer and its latency, whenever it is asked") {
  TwoClients rig(memory(64, 100));
  int step = 0;
  rig.run([&](Process& process) {
    if (step == 0) {
      CHECK(rig.first.request(Tensor::a, false, 256) == Cycles(104));
      process.sleep(1000);
    } else if (step == 1) {
      CHECK(rig.first.request(Tensor::a, false, 65) == Cycles(1000 + 2 + 100));  // 65 / 64, up
      process.sleep(7);
    } else {
      CHECK(rig.first.request(Tensor::z, true, 1) == Cycles(1007 + 1 + 100));
    }
    ++step;
  });
  CHECK(step == 3);
}

TEST_CASE("a memory without latency answers when the last byte has passed") {
  TwoClients rig(memory(0.5, 0));
  rig.run([&](Process&) { CHECK(rig.first.request(Tensor::a, false, 7) == Cycles(14)); });
}

TEST_CASE("requests behind each other stream at the memory's rate, latency paid once") {
  TwoClients rig(memory(3, 50));
  rig.run([&](Process&) {
    for (std::uint64_t i = 1; i <= 300; ++i) {
      REQUIRE(rig.first.request(Tensor::a, false, 10) == Cycles(ceil_div(10 * i, 3) + 50));
    }
  });
  CHECK(rig.dram.port().bytes() == 3000);
}

TEST_CASE("time in which nobody asked is lost to the memory") {
  TwoClients rig(memory(1, 10));
  bool late = false;
  rig.run([&](Process& process) {
    if (!std::exchange(late, true)) {
      CHECK(rig.first.request(Tensor::a, false, 100) == Cycles(110));
      process.sleep(500);
    } else {
      CHECK(rig.first.request(Tensor::a, false, 100) == Cycles(610));
      CHECK(rig.first.request(Tensor::a, false, 100) == Cycles(710));
    }
  });
}

TEST_CASE("two clients share one rate in the order in which they ask, reads and writes alike") {
  TwoClients rig(memory(8, 20));
  rig.run([&](Process&) {
    for (std::uint64_t i = 0; i < 50; ++i) {
      REQUIRE(rig.first.request(Tensor::a, false, 80) == Cycles(20 * i + 10 + 20));
      REQUIRE(rig.second.request(Tensor::z, true, 80) == Cycles(20 * i + 20 + 20));
    }
  });
}

TEST_CASE("a memory counts what it moved for each tensor, read and written") {
  TwoClients rig(memory(8, 20));
  rig.run([&](Process&) {
    (void)rig.first.request(Tensor::a, false, 3);
    (void)rig.first.request(Tensor::b, false, 5);
    (void)rig.second.request(Tensor::z_partial, true, 7);
    (void)rig.second.request(Tensor::z_partial, false, 11);
    (void)rig.second.request(Tensor::z, true, 13);
  });
  CHECK(rig.dram.moved() == std::array<Moved, 4>{Moved{3, 0}, {5, 0}, {0, 13}, {11, 7}});
}

// Chunks of 400, 400 and 200 bytes at 10 a cycle pass at 40, 80 and 100.
TEST_CASE("a stream's bytes are there chunk by chunk, at the cycle and not before it") {
  Streams rig(memory(10, 50, 400));
  rig.run([&](Process&) { CHECK(rig.first.request(1000) == 1000); });
  CHECK(rig.arrivals == Moments{{90, 400}, {130, 800}, {150, 1000}});
  CHECK(rig.dram.moved()[0] == Moved{1000, 0});
  CHECK(rig.simulation.now() == Cycles(150));
}

TEST_CASE("a stream asks for later bytes when they are wanted, not before") {
  Streams rig(memory(10, 50, 400));
  bool late = false;
  rig.run([&](Process& process) {
    CHECK(rig.first.request(100) == (late ? 200 : 100));
    if (!std::exchange(late, true)) process.sleep(33);
  });
  CHECK(rig.arrivals == Moments{{60, 100}, {93, 200}});
}

// Two requests of one cycle each under way over a latency of 100: the third leaves when the first
// is answered. Two chunks in 101 cycles, however fast the memory is.
TEST_CASE("what a stream may have under way bounds its rate over a far memory") {
  Streams rig(memory(64, 100, 64, 2));
  rig.run([&](Process&) { (void)rig.first.request(64 * 20); });
  REQUIRE(rig.arrivals.size() == 20);
  for (std::uint64_t i = 0; i < 20; ++i) {
    CHECK(rig.arrivals[i] == std::pair{101 * (i / 2 + 1) + i % 2, 64 * (i + 1)});
  }
}

// 101 requests of one cycle cover a latency of 100; one fewer leaves a cycle free in each round.
TEST_CASE("a stream has the memory's whole rate when its requests cover the latency") {
  for (const std::uint64_t outstanding : {100U, 101U, 200U}) {
    Streams rig(memory(64, 100, 64, outstanding));
    rig.run([&](Process&) { (void)rig.first.request(64 * 1010); });
    CHECK(rig.simulation.now() == Cycles(outstanding < 101 ? 100 + 101 * 10 + 10 : 1010 + 100));
  }
}

TEST_CASE("a stream holds no more than its room, and fetches on when room is given back") {
  Streams rig(memory(16, 30, 64), 128);
  int step = 0;
  rig.run([&](Process& process) {
    if (step == 0) {
      (void)rig.first.request(300);
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
  Streams rig(memory(16, 30, 64), 128);
  CHECK_THROWS_AS(rig.run([&](Process&) {
    (void)rig.first.request(100);
    rig.first.release(1);
  }),
                  ModelError);
}

// One request each under way and no latency: the memory serves them in turn, 16 cycles a chunk.
TEST_CASE("two streams take turns at the memory, chunk by chunk") {
  Streams rig(memory(64, 0, 1024, 1));
  rig.run([&](Process&) {
    (void)rig.first.request(32 * 1024);
    (void)rig.second.request(32 * 1024);
  });
  REQUIRE(rig.arrivals.size() == 32);
  REQUIRE(rig.second_arrivals.size() == 32);
  // Who is first of two that ask at once is the kernel's choice; then they alternate.
  const bool first = rig.arrivals[0].first < rig.second_arrivals[0].first;
  const Moments& sooner = first ? rig.arrivals : rig.second_arrivals;
  const Moments& later = first ? rig.second_arrivals : rig.arrivals;
  for (std::uint64_t i = 0; i < 32; ++i) {
    CHECK(sooner[i] == std::pair{32 * i + 16, 1024 * (i + 1)});
    CHECK(later[i] == std::pair{32 * i + 32, 1024 * (i + 1)});
  }
}

TEST_CASE("a long stream delays a short one by no more than what it may have under way") {
  const std::uint64_t outstanding = 4, chunk_cycles = 16;
  Streams rig(memory(64, 0, 1024, outstanding));
  rig.run([&](Process& process) {
    if (rig.first.requested() == 0) {
      (void)rig.first.request(1 << 20);
      process.sleep(1000);
    } else {
      (void)rig.second.request(1024);
    }
  });
  REQUIRE(rig.second_arrivals.size() == 1);
  CHECK(rig.second_arrivals[0].first > 1000 + chunk_cycles);
  CHECK(rig.second_arrivals[0].first <= 1000 + chunk_cycles * (outstanding + 1));
  CHECK(rig.simulation.now() == Cycles((1 << 20) / 64 + chunk_cycles));  // none of the rate is lost
}

TEST_CASE("what drains is pending until it is written, chunk by chunk") {
  Streams rig(memory(10, 50, 400));
  rig.run([&](Process&) {
    rig.drain.write(Tensor::z, 1000);
    CHECK(rig.drain.pending() == 1000);
  });
  CHECK(rig.drained == Moments{{90, 600}, {130, 200}, {150, 0}});
}

TEST_CASE("writes drain in order, each tensor's bytes counted as its own") {
  Streams rig(memory(10, 0, 400));
  rig.run([&](Process&) {
    rig.drain.write(Tensor::z_partial, 30);
    rig.drain.write(Tensor::z, 0);
    rig.drain.write(Tensor::z, 500);
  });
  CHECK(rig.drained == Moments{{3, 500}, {43, 100}, {53, 0}});
  CHECK(rig.dram.moved() == std::array<Moved, 4>{Moved{0, 0}, {0, 0}, {0, 500}, {0, 30}});
}

TEST_CASE("a drain has no more requests under way than it may") {
  Streams rig(memory(64, 100, 64, 2));
  rig.run([&](Process&) { rig.drain.write(Tensor::z, 64 * 6); });
  CHECK(rig.drained ==
        Moments{{101, 320}, {102, 256}, {202, 192}, {203, 128}, {303, 64}, {304, 0}});
}
