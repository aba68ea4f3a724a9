// SPDX-License-Identifier: Apache-2.0
// Do the MAC arrays begin an instruction when its operands are there and not a cycle sooner, follow
// one another without a gap, and give back what they hold? Programs are written by hand; operands
// come at 10 bytes a cycle each 100 cycles late, in requests of 50 bytes, 2 of a stream under way.
#include "tests/arch/scripted.hpp"
#include "tests/catch.hpp"

using namespace lacuna;
using lacuna::test::Step;

namespace {

FabricSpec arrays() {
  FabricSpec spec;
  spec.dram.read_words = 10;
  spec.dram.write_words = 5;
  spec.dram.latency = Cycles(100);
  spec.dram.chunk = Bytes(50);
  spec.dram.outstanding = 2;
  spec.glb.capacity = Bytes(1 << 20);
  return spec;
}

Step step(std::uint64_t a_needed, double cycles, std::uint64_t z_bytes = 0,
          std::uint64_t a_release = 0) {
  return {a_needed, cycles, z_bytes, a_release};
}

ArrayRun run(const std::vector<Step>& steps, std::uint64_t a_bytes,
             std::uint64_t a_capacity = 1 << 20, std::uint64_t z_backlog = 1 << 20,
             std::uint64_t b_bytes = 0) {
  return lacuna::test::run_script(arrays(),
                                  {steps, a_bytes, b_bytes, a_capacity, 1 << 20, z_backlog});
}

}  // namespace

// 50 bytes pass in 5 cycles and are there at 105, the next 50 at 110.
TEST_CASE("arrays begin when the last byte that they need is there") {
  const std::vector<std::pair<std::uint64_t, std::uint64_t>> needed_and_there{
      {1, 105}, {50, 105}, {51, 110}, {100, 110}};
  for (const auto& [needed, there] : needed_and_there) {
    const ArrayRun timing = run({step(needed, 7)}, 100);
    CAPTURE(needed);
    CHECK(timing.fill == there);
    CHECK(timing.cycles == Cycles(there + 7));
    CHECK(timing.drain == 0);
  }
}

TEST_CASE("arrays wait for both operands") {
  // A takes the memory first or B does; 50 bytes of each are through at 10.
  Step both = step(50, 7);
  both.b_needed = 50;
  const ArrayRun timing = run({both}, 50, 1 << 20, 1 << 20, 50);
  CHECK(timing.cycles == Cycles(110 + 7));
  CHECK(timing.dram_a.read_bytes == 50);
  CHECK(timing.dram_b.read_bytes == 50);
}

TEST_CASE("instructions follow one another within a cycle: only the sum is rounded") {
  // Twelve times 1.25 cycles from 105 on end at 120; outputs of the last: 8 bytes at 5 a cycle.
  std::vector<Step> steps(12, step(50, 1.25));
  steps.back().z_bytes = 8;
  const ArrayRun timing = run(steps, 50);
  CHECK(timing.busy == 15);
  CHECK(timing.drain == 2 + 100);
  CHECK(timing.cycles == Cycles(120 + 102));
  CHECK(timing.instructions == 12);
}

// Steps of 4 cycles need 50 bytes more each, which come two at a time: at 105 and 110, then, asked
// for when the first are there, at 210 and 215.
TEST_CASE("arrays that outrun their operands wait for each of them") {
  const ArrayRun timing = run({step(50, 4), step(100, 4), step(150, 4), step(200, 4)}, 200);
  CHECK(timing.fill == 105);
  CHECK(timing.wait_a == (110 - 109) + (210 - 114) + (215 - 214));
  CHECK(timing.cycles == Cycles(219));
}

// A share of 100 bytes is full with the first two requests; the third leaves when the first step is
// done and gives its 50 back, at 105 + 20: there at 230. The step in between ends at 145.
TEST_CASE("operands come again when an instruction has given back its room") {
  const ArrayRun timing =
      run({step(50, 20, 0, 50), step(100, 20, 0, 50), step(150, 20, 0, 50)}, 150, 100);
  CHECK(timing.wait_a == 230 - 145);
  CHECK(timing.cycles == Cycles(230 + 20));
}

// Each step leaves 20 bytes, 4 cycles of writing and 100 of latency. Two writes are under way at
// most: the steps end at 115, 125 and 135, the first outputs are there at 115 + 104 = 219, and only
// then do the third's leave. With no more than 20 bytes waiting, the third step begins at 219.
TEST_CASE("arrays wait for their outputs to leave") {
  const std::vector<Step> steps(3, step(50, 10, 20));
  const ArrayRun unhindered = run(steps, 50, 1 << 20, 1 << 20);
  CHECK(unhindered.wait_z == 0);
  CHECK(unhindered.cycles == Cycles(219 + 104));
  const ArrayRun held = run(steps, 50, 1 << 20, 20);
  CHECK(held.wait_z == 219 - 125);
  CHECK(held.cycles == Cycles(219 + 10 + 104));
}

TEST_CASE("a program without instructions takes what its operands take, and none takes nothing") {
  CHECK(run({}, 0).cycles == Cycles(0));
  CHECK(run({}, 100).cycles == Cycles(110));
}

TEST_CASE("bytes that no instruction makes room for break the run instead of ending it early") {
  CHECK_THROWS_AS(run({step(50, 1), step(150, 1)}, 150, 100), ModelError);
}
