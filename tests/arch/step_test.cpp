// SPDX-License-Identifier: Apache-2.0
// Do operations that follow each other fetch ahead as far as they have room, wait for what they
// read, and never for one behind them? Memory gives 10 bytes a cycle 100 cycles late, 50 bytes a
// request.
#include <map>

#include "arch/buffer/stream_leases.hpp"
#include "arch/program/join_programs.hpp"
#include "base/random.hpp"
#include "tests/arch/scripted.hpp"
#include "tests/catch.hpp"

using namespace lacuna;
using lacuna::test::Script;
using lacuna::test::ScriptedUnit;
using lacuna::test::Step;

namespace {

FabricSpec machine() {
  FabricSpec spec;
  spec.dram.read_words = 10;
  spec.dram.write_words = 5;
  spec.dram.latency = Cycles(100);
  spec.dram.chunk = Bytes(50);
  spec.dram.outstanding = 8;
  spec.glb.capacity = Bytes(1 << 20);
  return spec;
}

struct Operation {
  Script script;
  std::size_t a_after = 0, b_after = 0;
};

ArrayRun run(const std::vector<Operation>& operations, std::optional<std::uint64_t> shuffle = {}) {
  std::vector<StepOperation> step;
  std::map<const ArrayProduct*, const Script*> scripts;
  for (const Operation& one : operations) {
    step.push_back({std::make_shared<const ArrayProgram>(lacuna::test::program_of(one.script)),
                    one.a_after, one.b_after});
    scripts[step.back().program->parts.front().product.get()] = &one.script;
  }
  ArrayRunOptions options;
  options.shuffle = shuffle;
  options.unit_of = [&](const ArrayProgram::Part& part) {
    return std::make_shared<ScriptedUnit>(scripts.at(part.product.get())->steps);
  };
  return run_array_program(machine(), join_programs(std::move(step)), options);
}

/// `a` bytes, `cycles` of work on all of them, `z` bytes of outputs.
Script work(std::uint64_t a, double cycles, std::uint64_t z = 0, std::uint64_t share = 1 << 19) {
  return {{{a, cycles, z, a}}, a, 0, share, 1 << 19, 1 << 20};
}

}  // namespace

// Alone: 100 bytes are there at 110. What the second needs comes while the first works.
TEST_CASE("an operand that is in memory is fetched while the operation before runs") {
  const ArrayRun both = run({{work(100, 500)}, {work(200, 40)}});
  CHECK(both.cycles == Cycles(110 + 500 + 40));
  REQUIRE(both.operations.size() == 2);
  CHECK(both.operations[0].cycles == Cycles(610));
  CHECK(both.operations[1].cycles == Cycles(40));
  CHECK(both.operations[1].wait_a == 0);
}

// The first's 20 bytes of outputs take 4 cycles and 100 of latency: in memory at 714. Then the
// second's 200 bytes take 120.
TEST_CASE("an operand that another operation writes is fetched when it is in memory") {
  const ArrayRun both = run({{work(100, 500, 20)}, {work(200, 40), 1}});
  CHECK(both.cycles == Cycles(714 + 120 + 40));
  CHECK(both.operations[1].wait_a == 714 + 120 - 610);
}

TEST_CASE("what does not depend on outputs does not wait for them") {
  const ArrayRun both = run({{work(100, 500, 20)}, {work(200, 40)}});
  CHECK(both.operations[1].cycles == Cycles(64 + 40));  // and the first's outputs end at 714
  CHECK(both.cycles == Cycles(714));
}

// 50 of the second's 200 bytes have room in the first's share; the others come when it is over.
TEST_CASE("no more is fetched ahead than the operation that runs has room for") {
  const ArrayRun both = run({{work(100, 500, 0, 150)}, {work(200, 40)}});
  CHECK(both.operations[1].wait_a == 100 + 15);
  CHECK(both.cycles == Cycles(610 + 115 + 40));
}

TEST_CASE("an operation between two, with no room to spare, holds up what is fetched behind it") {
  Script narrow = work(50, 300, 0, 50);
  const ArrayRun all = run({{work(100, 500)}, {narrow}, {work(50, 10)}});
  // The third's bytes are asked for when the second is over and has released its own.
  CHECK(all.operations[2].wait_a == 105);
}

TEST_CASE("leases give the running operation its share and later ones the least before them") {
  StreamLeases leases({{100, 40, 0}, {0, 10, 0}, {60, 30, 1}, {50, 80, 2}});
  CHECK(leases.end() == 100);
  CHECK(leases.room(0, 0) == 40);
  leases.issued(99);
  CHECK(leases.end() == 100);
  leases.issued(100);  // the second fetches nothing
  CHECK(leases.end() == 160);
  CHECK(leases.room(0, 0) == 0);   // what the first writes is not there
  CHECK(leases.room(0, 1) == 10);  // the second is not over
  CHECK(leases.room(2, 1) == 30);
  leases.issued(160);
  CHECK(leases.end() == 210);
  CHECK(leases.room(2, 1) == 0);
  CHECK(leases.room(2, 2) == 30);
  CHECK(leases.room(3, 3) == 80);
  leases.issued(210);
  CHECK(leases.end() == 210);
}

TEST_CASE("an operation cannot wait for itself or one behind it") {
  const auto one = std::make_shared<const ArrayProgram>(lacuna::test::program_of(work(100, 5)));
  CHECK_NOTHROW(join_programs({{one, 0, 0}, {one, 1, 1}}));
  CHECK_THROWS_AS(join_programs({{one, 1, 0}}), ModelError);
  CHECK_THROWS_AS(join_programs({{one, 0, 0}, {one, 0, 2}}), ModelError);
}

TEST_CASE("random steps end, move what their operations move and take no longer than these alone") {
  RandomStream random(7, "steps");
  for (int round = 0; round < 200; ++round) {
    std::vector<Operation> operations;
    std::uint64_t alone = 0, a = 0, z = 0;
    double busy = 0;
    for (std::size_t i = 0, count = 2 + random.below(6); i < count; ++i) {
      Operation one;
      std::uint64_t needed = 0;
      for (std::size_t s = 0, steps = 1 + random.below(5); s < steps; ++s) {
        const std::uint64_t bytes = random.below(400), out = random.below(100);
        needed += bytes;
        const auto cycles = static_cast<double>(random.below(200));
        one.script.steps.push_back({needed, cycles, out, bytes});
        z += out;
        busy += cycles;
      }
      one.script.a_bytes = needed;
      a += needed;
      one.script.a_capacity = 400 + random.below(600);
      one.a_after = random.below(i + 1);
      operations.push_back(one);
      const ArrayRun by_itself = lacuna::test::run_script(machine(), one.script);
      alone += by_itself.cycles.count();
    }
    INFO("round " << round);
    const ArrayRun step = run(operations);
    CHECK(step.dram_a.read_bytes == a);
    CHECK(step.dram_z.write_bytes == z);
    CHECK(step.cycles <= Cycles(alone));
    CHECK(step.busy == busy);
    std::uint64_t sum = 0;
    for (const OperationTime& time : step.operations) sum += time.cycles.count();
    CHECK(sum == step.cycles.count());
    CHECK(run(operations, 3).cycles == step.cycles);
  }
}
