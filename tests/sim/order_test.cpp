// SPDX-License-Identifier: Apache-2.0
// Does the order in which the kernel runs the processes of a delta decide nothing: is what a unit
// sets seen by others from the next delta on, are decisions made once when all have run, and is
// that order really another one when it is shuffled?
#include <algorithm>
#include <set>

#include "base/error.hpp"
#include "sim/channel.hpp"
#include "sim/decision.hpp"
#include "sim/registered.hpp"
#include "tests/catch.hpp"
#include "tests/sim/process.hpp"
#include "tests/sim/watcher.hpp"

using namespace lacuna;
using lacuna::test::error_of;
using lacuna::test::Process;
using sim::Decision;
using sim::Registered;
using sim::Simulation;
using sim::SimulationOptions;

namespace {

SimulationOptions shuffled(std::uint64_t seed) {
  SimulationOptions options;
  options.shuffle = seed;
  return options;
}

}  // namespace

TEST_CASE("what a unit sets is seen by others in the next delta, by itself at once") {
  for (const bool setter_first : {false, true}) {
    Simulation simulation;
    Registered<int> value(7);
    std::vector<int> seen;
    int set = 0;
    const auto setter = [&](Process& self) {
      if (++set > 3) return;
      value.add(1);
      CHECK(value.latest() == 7 + set);
      self.sleep(set == 1 ? 0 : 5);
    };
    const auto reader = [&](Process& self) {
      seen.push_back(value.seen());
      if (seen.size() < 4) self.sleep(seen.size() == 1 ? 0 : 5);
    };
    Process one("one", simulation,
                [&](Process& self) { setter_first ? setter(self) : reader(self); });
    Process two("two", simulation,
                [&](Process& self) { setter_first ? reader(self) : setter(self); });
    simulation.run();
    CHECK(seen == std::vector<int>{7, 8, 9, 10});
  }
}

TEST_CASE("what is set before the run is seen from its beginning") {
  Simulation simulation;
  Registered<int> value;
  value.set(3);
  Process process("reader", simulation, [&](Process&) { CHECK(value.seen() == 3); });
  simulation.run();
}

TEST_CASE("a decision is made once a delta, when all of its processes have run") {
  Simulation simulation;
  int asked = 0;
  std::vector<int> decided;
  Decision decision(simulation, [&] { decided.push_back(asked); });
  const auto ask = [&](Process& self) {
    CHECK((asked < 3 ? decided.empty() : decided.size() == 1));
    ++asked;
    decision.due();
    if (asked <= 3) self.sleep(9);
  };
  Process a("a", simulation, ask), b("b", simulation, ask), c("c", simulation, ask);
  simulation.run();
  CHECK(decided == std::vector<int>{3, 6});
}

TEST_CASE("what a decision wakes runs in the next delta or when it says") {
  Simulation simulation;
  sc_core::sc_event soon("soon"), later("later");
  std::vector<std::string> order;
  Decision decision(simulation, [&] {
    simulation.at(Cycles(4), later);
    simulation.at(simulation.now(), soon);
    order.emplace_back("decided");
  });
  test::Watcher on_soon("on_soon", simulation, soon, [&] { order.push_back("soon"); });
  test::Watcher on_later("on_later", simulation, later, [&] {
    order.push_back("later");
    CHECK(simulation.now() == Cycles(4));
  });
  Process process("process", simulation, [&](Process&) { decision.due(); });
  simulation.run();
  CHECK(order == std::vector<std::string>{"decided", "soon", "later"});
}

TEST_CASE("what a decision throws keeps its type and its text, and the next run is unharmed") {
  for (int i = 0; i < 3; ++i) {
    Simulation simulation;
    Decision decision(simulation, [] { throw InputError("too much"); });
    Process process("process", simulation, [&](Process&) { decision.due(); });
    CHECK_THROWS_AS(simulation.run(), InputError);
  }
  Simulation simulation;
  bool ran = false;
  Process process("process", simulation, [&](Process&) { ran = true; });
  simulation.run();
  CHECK(ran);
}

TEST_CASE("a shuffled simulation runs the processes of a delta in many orders") {
  std::set<std::vector<int>> orders;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    Simulation simulation(shuffled(seed));
    std::vector<int> order;
    std::vector<std::unique_ptr<test::Watcher>> watchers;
    std::vector<std::unique_ptr<sc_core::sc_event>> events;
    for (int i = 0; i < 3; ++i) {
      events.push_back(std::make_unique<sc_core::sc_event>(fmt::format("e{}", i).c_str()));
      watchers.push_back(std::make_unique<test::Watcher>(fmt::format("w{}", i).c_str(), simulation,
                                                         *events.back(),
                                                         [&order, i] { order.push_back(i); }));
    }
    Process process("process", simulation, [&](Process&) {
      for (auto& event : events) simulation.wake(*event);
    });
    simulation.run();
    orders.insert(order);
  }
  CHECK(orders.size() == 6);
}

TEST_CASE("what passes a channel, and when, does not depend on the order of processes") {
  std::set<std::vector<std::pair<int, std::uint64_t>>> seen;
  for (std::uint64_t seed = 0; seed <= 20; ++seed) {
    Simulation simulation(seed == 0 ? SimulationOptions{} : shuffled(seed));
    sim::Channel<int> channel(simulation, "items", 2);
    std::vector<std::pair<int, std::uint64_t>> taken;
    int sent = 0;
    // Both wake at the same cycles, and at each other's word.
    Process writer("writer", simulation, [&](Process& self) {
      for (; sent < 60 && !channel.full(); ++sent) channel.push(sent);
      if (sent < 60) self.sleep(1);
    });
    Process reader("reader", simulation, [&](Process& self) {
      if (channel.ready()) taken.emplace_back(channel.pop(), sc_core::sc_delta_count());
      if (taken.size() < 60) self.sleep(1);
    });
    simulation.run();
    REQUIRE(taken.size() == 60);
    seen.insert(taken);
  }
  CHECK(seen.size() == 1);
}
