// SPDX-License-Identifier: Apache-2.0
// Does the memory answer exactly when its rate and its latency say, and no sooner, and does it
// share its rate among clients as it says? Every time below follows from: a request that starts at
// t and moves n bytes at r bytes a cycle is answered at ceil(t + n / r) + latency, and starts when
// the one before it has passed.
#include "arch/memory/fixed_memory.hpp"

#include <limits>

#include "tests/arch/memory/asker.hpp"
#include "tests/catch.hpp"
#include "tests/sim/process.hpp"

using namespace lacuna;
using lacuna::test::Asker;
using lacuna::test::Process;

namespace {

using Times = std::vector<std::uint64_t>;

DramSpec memory(double rate, std::uint64_t latency) {
  DramSpec spec;
  spec.bytes_per_cycle = rate;
  spec.latency = Cycles(latency);
  return spec;
}

/// A memory with two clients; `first` has the lower rank.
struct TwoClients {
  sim::Simulation simulation;
  FixedMemory dram;
  Asker first, second;

  explicit TwoClients(const DramSpec& spec)
      : dram("dram", simulation, spec),
        first("first", simulation, dram, 3),
        second("second", simulation, dram, 7) {}
  /// Runs `body` at cycle zero, and again whenever it sleeps.
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
      rig.first.read(256);
      process.sleep(1000);
    } else if (step == 1) {
      rig.first.read(65);
      process.sleep(7);
    } else {
      rig.first.ask(Tensor::z, true, 1);
    }
    ++step;
  });
  CHECK(rig.first.answers == Times{104, 1000 + 2 + 100, 1007 + 1 + 100});  // 65 / 64, up
}

TEST_CASE("a memory without latency answers when the last byte has passed") {
  TwoClients rig(memory(0.5, 0));
  rig.run([&](Process&) { rig.first.read(7); });
  CHECK(rig.first.answers == Times{14});
}

TEST_CASE("a memory without bound or latency answers within the cycle") {
  TwoClients rig(memory(std::numeric_limits<double>::infinity(), 0));
  rig.run([&](Process& process) {
    rig.first.read(1 << 20);
    if (rig.simulation.now() == Cycles(0)) process.sleep(5);
  });
  CHECK(rig.first.answers == Times{0, 5});
}

TEST_CASE("requests behind each other stream at the memory's rate, latency paid once") {
  TwoClients rig(memory(3, 50));
  rig.run([&](Process&) {
    for (int i = 0; i < 300; ++i) rig.first.read(10);
  });
  REQUIRE(rig.first.answers.size() == 300);
  for (std::uint64_t i = 1; i <= 300; ++i) {
    CHECK(rig.first.answers[i - 1] == ceil_div(10 * i, 3) + 50);
  }
  CHECK(rig.dram.counts().all() == Moved{3000, 0});
  CHECK(rig.dram.counts().port.total == 3000);
}

TEST_CASE("time in which nobody asked is lost to the memory") {
  TwoClients rig(memory(1, 10));
  bool late = false;
  rig.run([&](Process& process) {
    rig.first.read(100);
    if (!std::exchange(late, true)) return process.sleep(500);
    rig.first.read(100);
  });
  CHECK(rig.first.answers == Times{110, 610, 710});
}

TEST_CASE("of two that ask in one delta the lower rank is first, whoever asked sooner") {
  for (const bool first_asks_first : {false, true}) {
    TwoClients rig(memory(8, 20));
    rig.run([&](Process&) {
      if (first_asks_first) rig.first.read(80);
      rig.second.ask(Tensor::z, true, 80);
      if (!first_asks_first) rig.first.read(80);
      rig.second.ask(Tensor::z, true, 160);
    });
    CHECK(rig.first.answers == Times{30});
    CHECK(rig.second.answers == Times{40, 60});
  }
}

TEST_CASE("who asks in an earlier delta is first, within a cycle too, whatever the ranks") {
  TwoClients rig(memory(8, 20));
  bool later = false;
  rig.run([&](Process& process) {
    if (!std::exchange(later, true)) {
      rig.second.read(80);
      return process.sleep(0);
    }
    rig.first.read(80);
  });
  CHECK(rig.second.answers == Times{30});
  CHECK(rig.first.answers == Times{40});
}

TEST_CASE("two clients that ask in turn share one rate, reads and writes alike") {
  TwoClients rig(memory(8, 20));
  std::uint64_t asked = 0;
  rig.run([&](Process& process) {
    rig.first.read(80);
    rig.second.ask(Tensor::z, true, 80);
    if (++asked < 50) process.sleep(20);
  });
  REQUIRE(rig.first.answers.size() == 50);
  REQUIRE(rig.second.answers.size() == 50);
  for (std::uint64_t i = 0; i < 50; ++i) {
    CHECK(rig.first.answers[i] == 20 * i + 30);
    CHECK(rig.second.answers[i] == 20 * i + 40);
  }
}

TEST_CASE("a memory counts what it moved for each tensor, read and written") {
  TwoClients rig(memory(8, 20));
  rig.run([&](Process&) {
    rig.first.ask(Tensor::a, false, 3);
    rig.first.ask(Tensor::b, false, 5);
    rig.second.ask(Tensor::z_partial, true, 7);
    rig.second.ask(Tensor::z_partial, false, 11);
    rig.second.ask(Tensor::z, true, 13);
  });
  CHECK(rig.dram.counts().moved == MovedByTensor{Moved{3, 0}, {5, 0}, {0, 13}, {11, 7}, {0, 0}});
  CHECK(rig.dram.counts().all() == Moved{19, 20});
}

TEST_CASE("two clients of one rank are refused") {
  sim::Simulation simulation;
  FixedMemory dram("dram", simulation, memory(1, 1));
  const Asker first("first", simulation, dram, 2);
  CHECK_THROWS_AS(Asker("second", simulation, dram, 2), ModelError);
}
