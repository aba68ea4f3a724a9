// SPDX-License-Identifier: Apache-2.0
// Does a simulation end when it should, say what is wrong when it does not, and leave nothing
// behind for the next one?
#include "sim/simulation.hpp"

#include "base/error.hpp"
#include "sim/stall.hpp"
#include "tests/catch.hpp"
#include "tests/sim/process.hpp"

using namespace lacuna;
using lacuna::test::error_of;
using lacuna::test::Process;
using sim::Simulation;
using sim::SimulationOptions;

namespace {

/// A process that sleeps `steps` times for 3 cycles; returns the end time.
Cycles sleep_through(Simulation& simulation, std::uint64_t steps) {
  std::uint64_t left = steps;
  simulation.issue(steps);
  Process process("sleeper", simulation, [&](Process& self) {
    if (left-- > 0) {
      simulation.retire();
      if (left > 0) self.sleep(3);
    }
  });
  simulation.run();
  return simulation.now();
}

}  // namespace

TEST_CASE("time is counted in whole cycles at any clock") {
  const auto clock = GENERATE(1e6, 333e6, 1e9, 1.7e9, 3e9);
  SimulationOptions options;
  options.clock = Hertz(clock);
  Simulation simulation(options);
  CHECK(sleep_through(simulation, 1001) == Cycles(3000));
}

TEST_CASE("a simulation with work left over is a deadlock that names the blocked units") {
  Simulation simulation;
  simulation.issue(3);
  simulation.watch("dram", [] { return std::string(); });
  simulation.watch("b_stream", [] { return std::string("room: 64 of 64 bytes held"); });
  simulation.watch("pes", [] { return std::string("B: tile (n2 0, k2 1)"); });
  Process process("once", simulation, [&](Process&) { simulation.retire(); });
  const std::string message = error_of([&] { simulation.run(); });
  CHECK(message.find("deadlock at cycle 0: 2 items outstanding") != std::string::npos);
  CHECK(message.find("b_stream waits for room: 64 of 64 bytes held") != std::string::npos);
  CHECK(message.find("pes waits for B: tile (n2 0, k2 1)") != std::string::npos);
  CHECK(message.find("dram") == std::string::npos);
}

TEST_CASE("retiring more than was issued is refused") {
  Simulation simulation;
  simulation.issue();
  Process process("twice", simulation, [&](Process&) { simulation.retire(2); });
  CHECK_THROWS_AS(simulation.run(), ModelError);
}

TEST_CASE("what a process throws keeps its type and its text") {
  const auto thrown = [](auto error) {
    Simulation simulation;
    Process process("thrower", simulation, [&](Process&) { throw error; });
    simulation.run();
  };
  CHECK_THROWS_AS(thrown(InputError(Place{"a.mtx", 7, {}}, "wrong")), InputError);
  CHECK_THROWS_AS(thrown(ModelError("broken")), ModelError);
  CHECK_THROWS_AS(thrown(Interrupted()), Interrupted);
  CHECK_THROWS_AS(thrown(std::bad_alloc()), std::bad_alloc);
  CHECK(error_of([&] { thrown(InputError(Place{"a.mtx", 7, {}}, "wrong")); }) == "a.mtx:7: wrong");
}

TEST_CASE("a hundred simulations run one after another, failed ones among them") {
  for (std::uint64_t i = 0; i < 100; ++i) {
    Simulation simulation;
    if (i % 3 == 1) {
      Process process("thrower", simulation, [](Process&) { throw ModelError("planned"); });
      CHECK_THROWS_AS(simulation.run(), ModelError);
    } else {
      CHECK(sleep_through(simulation, i + 1) == Cycles(3 * i));
    }
  }
}

TEST_CASE("a model that loops without time passing is stopped") {
  SimulationOptions options;
  options.zero_time_limit = 1000;
  Simulation simulation(options);
  simulation.issue();
  Process process("spinner", simulation, [&](Process& self) { self.sleep(0); });
  try {
    simulation.run();
    FAIL("it ended");
  } catch (const ModelError& error) {
    CHECK(std::string(error.what()).find("loops without time passing at cycle 0") !=
          std::string::npos);
  }
}

TEST_CASE("activations at different times are no loop") {
  SimulationOptions options;
  options.zero_time_limit = 10;
  Simulation simulation(options);
  CHECK(sleep_through(simulation, 1000) == Cycles(2997));
}

// Each wakes the other one cycle later, for ever.
TEST_CASE("units that wake each other and get nowhere are stopped, and named") {
  SimulationOptions options;
  options.no_progress_limit = 1000;
  Simulation simulation(options);
  simulation.issue(2);
  simulation.watch("left", [] { return std::string("right to give way"); });
  simulation.watch("right", [] { return std::string("left to give way"); });
  simulation.watch("idle", [] { return std::string(); });
  Process* other = nullptr;
  Process left("left", simulation, [&](Process&) {
    simulation.at(simulation.now() + Cycles(1), other->wake);
    if (simulation.now() == Cycles(10)) simulation.retire();
  });
  Process right("right", simulation,
                [&](Process&) { simulation.at(simulation.now() + Cycles(1), left.wake); });
  other = &right;
  const std::string message = error_of([&] { simulation.run(); });
  CHECK(message.find("livelock at cycle") != std::string::npos);
  CHECK(message.find("1 items outstanding, the last retired at cycle 10,") != std::string::npos);
  CHECK(message.find("1000 activations since anything moved") != std::string::npos);
  CHECK(message.find("left waits for right to give way") != std::string::npos);
  CHECK(message.find("right waits for left to give way") != std::string::npos);
  CHECK(message.find("idle") == std::string::npos);
}

TEST_CASE("an idle loop without work outstanding is a livelock too: the run would never end") {
  SimulationOptions options;
  options.no_progress_limit = 1000;
  Simulation simulation(options);
  Process process("clock", simulation, [](Process& self) { self.sleep(1); });
  CHECK(error_of([&] { simulation.run(); }).find("livelock") != std::string::npos);
}

TEST_CASE("an instruction of any length is no livelock, nor is one that reports its progress") {
  SimulationOptions options;
  options.no_progress_limit = 100;
  Simulation simulation(options);
  simulation.issue(2);
  std::uint64_t steps = 0, wide = 0;
  // A thousand million cycles in one go, ten times.
  Process patient("patient", simulation, [&](Process& self) {
    if (++wide <= 10) return self.sleep(1'000'000'000);
    simulation.retire();
  });
  // Many activations for one item, and some of them move something.
  Process busy("busy", simulation, [&](Process& self) {
    if (++steps % 50 == 0) simulation.progress();
    if (steps < 10'000) return self.sleep(1);
    simulation.retire();
  });
  simulation.run();
  CHECK(simulation.now() == Cycles(10'000'000'000));
}

TEST_CASE("an interrupt ends a run that has only begun") {
  const std::function<bool()> asked = [] { return true; };
  SimulationOptions options;
  options.interrupted = &asked;
  Simulation simulation(options);
  CHECK_THROWS_AS(sleep_through(simulation, 2000), Interrupted);
  CHECK(simulation.activations() < 1000);
}

TEST_CASE("an event in the past is refused") {
  Simulation simulation;
  bool later = false;
  Process process("late", simulation, [&](Process& self) {
    if (!later) {
      later = true;
      self.sleep(5);
      return;
    }
    simulation.at(Cycles(4), self.wake);
  });
  CHECK_THROWS_AS(simulation.run(), ModelError);
}

TEST_CASE("injected stalls are a function of the seed and the unit") {
  const auto draw = [](std::uint64_t seed, const char* unit = "dram") {
    SimulationOptions options;
    options.stalls = {0.5, 20, seed};
    const Simulation simulation(options);
    sim::StallSource source(simulation, unit);
    std::vector<std::uint64_t> stalls;
    for (int i = 0; i < 200; ++i) stalls.push_back(source.next().count());
    return stalls;
  };
  CHECK(draw(1) == draw(1));
  CHECK(draw(1) != draw(2));
  CHECK(draw(1) != draw(1, "rows"));
  const auto drawn = draw(3);
  CHECK(*std::max_element(drawn.begin(), drawn.end()) <= 20);
  CHECK(std::count(drawn.begin(), drawn.end(), 0U) > 60);
  CHECK(std::count(drawn.begin(), drawn.end(), 0U) < 150);
}
