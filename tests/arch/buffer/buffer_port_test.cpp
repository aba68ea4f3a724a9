// SPDX-License-Identifier: Apache-2.0
// Do those who pass one port of a buffer wait for each other, for its rate, and for nothing else?
#include "arch/buffer/buffer_port.hpp"

#include "tests/arch/buffer/streams.hpp"

using namespace lacuna;
using namespace lacuna::test;

namespace {

constexpr sim::Ticks kCycle = sim::Ticks{1} << sim::kTickBits;

/// Memory of 10 bytes a cycle, 50 cycles away, in requests of 400 bytes, into a buffer of this
/// rate.
Moments arrivals(double port_rate, bool twice = false) {
  sim::Simulation simulation;
  const DramSpec spec = memory_of(10, 50, 400);
  FixedMemory dram("dram", simulation, spec);
  FixedMemory other_dram("other_dram", simulation, spec);
  BufferPort port(simulation, port_rate);
  StreamModule first("first", simulation, Tensor::a, 1 << 20, client_of(dram, 0, spec),
                     {{nullptr, {&port, 1}}});
  StreamModule second("second", simulation, Tensor::b, 1 << 20, client_of(other_dram, 0, spec),
                      {{nullptr, {&port, 0}}});
  Moments out;
  Watcher watcher("watcher", simulation, first.arrival(),
                  [&] { out.emplace_back(simulation.now().count(), first.arrived()); });
  Process process("process", simulation, [&](Process&) {
    first.request({0, 1000});
    if (twice) second.request({0, 1000});
  });
  simulation.run();
  return out;
}

}  // namespace

TEST_CASE("a port that is as fast as the memory behind it adds no time") {
  for (const double rate : {10.0, 11.0, 76.0, 1e6}) {
    CAPTURE(rate);
    CHECK(arrivals(rate) == Moments{{90, 400}, {130, 800}, {150, 1000}});
  }
}

// The first byte is there at 50; 4 bytes pass in a cycle.
TEST_CASE("a port slower than the memory passes bytes from their first on, at its rate") {
  CHECK(arrivals(4) == Moments{{150, 400}, {250, 800}, {300, 1000}});
}

// Two memories give 10 bytes a cycle each; the port passes 10, chunk by chunk, the other's first:
// [50, 90] and [90, 130], [130, 170] and [170, 210], then 200 bytes each.
TEST_CASE("two streams through one port take turns") {
  CHECK(arrivals(10, true) == Moments{{130, 400}, {210, 800}, {250, 1000}});
}

TEST_CASE("of those who ask at once the lower rank is first, in whatever order they ask") {
  for (const bool swapped : {false, true}) {
    sim::Simulation simulation;
    BufferPort port(simulation, 2);
    sim::Ticks late[2] = {};
    Process process("process", simulation, [&](Process&) {
      for (unsigned i = 0; i < 2; ++i) {
        const unsigned rank = swapped ? 1 - i : i;
        port.write(rank, 0, 10 * kCycle, 20, [&late, rank](sim::Ticks by) { late[rank] = by; });
      }
    });
    simulation.run();
    CHECK(late[0] == 0);
    CHECK(late[1] == 10 * kCycle);
    CHECK(port.waited() == 10);
    CHECK(port.meter().total() == 40);
  }
}

// A unit that works for 100 cycles and writes 20 bytes is late only when others hold the port so
// long that these do not pass before its end.
TEST_CASE("what is written while a unit works costs time only beyond its work") {
  sim::Simulation simulation;
  BufferPort port(simulation, 1);
  std::vector<sim::Ticks> late;
  const auto note = [&](sim::Ticks by) { late.push_back(by); };
  Process process("process", simulation, [&](Process&) {
    port.write(0, 0, 100 * kCycle, 70, note);  // [0, 70]
    port.write(1, 0, 100 * kCycle, 30, note);  // [70, 100]
    port.write(2, 0, 100 * kCycle, 20, note);  // [100, 120]
  });
  simulation.run();
  CHECK(late == std::vector<sim::Ticks>{0, 0, 20 * kCycle});
}
