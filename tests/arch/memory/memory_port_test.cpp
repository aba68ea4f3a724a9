// SPDX-License-Identifier: Apache-2.0
// Does a unit get its answers in the order of its requests, not before they are due and never in
// the delta in which they were given, however its memory answers?
#include "tests/arch/memory/asker.hpp"
#include "tests/arch/memory/held_memory.hpp"
#include "tests/catch.hpp"
#include "tests/sim/process.hpp"

using namespace lacuna;
using lacuna::test::Asker;
using lacuna::test::HeldMemory;
using lacuna::test::Process;

namespace {

using Times = std::vector<std::uint64_t>;

struct Rig {
  sim::Simulation simulation;
  HeldMemory memory;
  Asker asker{"asker", simulation, memory, 0};

  void run(const std::function<void(Process&)>& body) {
    Process process("process", simulation, body);
    simulation.run();
  }
};

}  // namespace

TEST_CASE("answers out of order are taken in order") {
  Rig rig;
  rig.run([&](Process&) {
    for (int i = 0; i < 4; ++i) rig.asker.read(8);
    rig.memory.answer(2, Cycles(10));
    rig.memory.answer(0, Cycles(30));
    rig.memory.answer(3, Cycles(50));
    rig.memory.answer(1, Cycles(20));
  });
  CHECK(rig.asker.answers == Times{30, 30, 30, 50});
}

TEST_CASE("an answer may be given when it is due, long after the request") {
  Rig rig;
  rig.run([&](Process& self) {
    if (rig.memory.requests.empty()) {
      rig.asker.read(8);
      rig.asker.read(8);
      return self.sleep(1000);
    }
    if (rig.simulation.now() == Cycles(1000)) {
      rig.memory.answer(1, Cycles(1000));
      return self.sleep(77);
    }
    rig.memory.answer(0, Cycles(1077));
  });
  CHECK(rig.asker.answers == Times{1077, 1077});
}

TEST_CASE("an answer that is due at once is seen in the next delta") {
  sim::Simulation simulation;
  HeldMemory memory;
  MemoryPort port("port", simulation, memory, 0);
  int step = 0;
  Process process("process", simulation, [&](Process& self) {
    if (step++ == 0) {
      const AddressRange range{0, 8};
      port.send({Tensor::a, false, {&range, 1}, 8});
      memory.answer(0, Cycles(0));
      CHECK_FALSE(port.take());
      return self.sleep(0);
    }
    CHECK(port.take());
    CHECK(port.under_way() == 0);
  });
  simulation.run();
  CHECK(step == 2);
}

TEST_CASE("a memory that answers twice, into the past or what nobody asked breaks the run") {
  Rig rig;
  rig.run([&](Process& self) {
    if (rig.memory.requests.empty()) {
      rig.asker.read(8);
      return self.sleep(5);
    }
    CHECK_THROWS_AS(rig.memory.answer(0, Cycles(4)), ModelError);
    rig.memory.answer(0, Cycles(6));
    CHECK_THROWS_AS(rig.memory.answer(0, Cycles(7)), ModelError);
    CHECK_THROWS_AS(rig.memory.requests[0].from->answer(1, Cycles(9)), ModelError);
  });
  CHECK(rig.asker.answers == Times{6});
}

TEST_CASE("an empty request is refused") {
  Rig rig;
  CHECK_THROWS_AS(rig.run([&](Process&) { rig.asker.read(0); }), ModelError);
}
