// SPDX-License-Identifier: Apache-2.0
// Does a channel hold back its writer when full, its reader when empty, and keep order under
// stalls?
#include "sim/channel.hpp"

#include "base/error.hpp"
#include "tests/catch.hpp"
#include "tests/sim/process.hpp"

using namespace lacuna;
using lacuna::test::Process;
using sim::Channel;
using sim::Simulation;
using sim::SimulationOptions;

namespace {

struct Received {
  std::vector<int> items;
  std::vector<std::uint64_t> times;
  std::size_t most_waiting = 0;
};

/// `count` items through a channel of `capacity`; the reader works `work` cycles on each.
Received pass_items(int count, std::size_t capacity, std::uint64_t work,
                    const sim::StallInjection& stalls) {
  SimulationOptions options;
  options.stalls = stalls;
  Simulation simulation(options);
  Channel<int> channel(simulation, "items", capacity);
  Received received;
  int sent = 0;
  Process writer("writer", simulation, [&](Process&) {
    while (sent < count && !channel.full()) channel.push(sent++);
    received.most_waiting = std::max(received.most_waiting, channel.size());
  });
  Process writer_again("writer_again", simulation, [](Process&) {});
  Cycles free_at;
  Process reader("reader", simulation, [&](Process& self) {
    if (simulation.now() < free_at) return self.sleep((free_at - simulation.now()).count());
    if (!channel.ready()) return;
    received.items.push_back(channel.pop());
    received.times.push_back(simulation.now().count());
    free_at = simulation.now() + Cycles(work);
    writer.wake.notify(sc_core::SC_ZERO_TIME);
    self.sleep(work);
  });
  // A channel's events wake whoever listens; here a relay listens for the reader.
  struct Relay : sc_core::sc_module {
    SC_HAS_PROCESS(Relay);
    Relay(const sc_core::sc_module_name& name, sc_core::sc_event& from, sc_core::sc_event& to)
        : sc_core::sc_module(name), to_(to) {
      SC_METHOD(pass);
      dont_initialize();
      sensitive << from;
    }
    void pass() { to_.notify(); }
    sc_core::sc_event& to_;
  };
  Relay relay("relay", channel.written(), reader.wake);
  simulation.run();
  return received;
}

}  // namespace

TEST_CASE("items arrive once, in order, and a full channel holds its writer") {
  const auto received = pass_items(50, 4, 7, {});
  REQUIRE(received.items.size() == 50);
  for (int i = 0; i < 50; ++i) {
    CHECK(received.items[static_cast<std::size_t>(i)] == i);
    CHECK(received.times[static_cast<std::size_t>(i)] == 7U * static_cast<unsigned>(i));
  }
  CHECK(received.most_waiting == 4);
}

TEST_CASE("stalls delay items and never lose, double or reorder them") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const auto received = pass_items(40, 3, 1, {0.7, 30, seed});
    REQUIRE(received.items.size() == 40);
    for (int i = 0; i < 40; ++i) REQUIRE(received.items[static_cast<std::size_t>(i)] == i);
    CHECK(received.times.back() > 39);
    CHECK(pass_items(40, 3, 1, {0.7, 30, seed}).times == received.times);
  }
}

TEST_CASE("capacity is enforced") {
  Simulation simulation;
  Channel<int> channel(simulation, "narrow", 1);
  channel.push(1);
  CHECK(channel.full());
  CHECK_THROWS_AS(channel.push(2), ModelError);
  CHECK_THROWS_AS((Channel<int>(simulation, "none", 0)), ModelError);
}

TEST_CASE("an item held back by a stall is not there before its time") {
  SimulationOptions options;
  options.stalls = {1.0, 1000, 1};
  Simulation simulation(options);
  Channel<int> channel(simulation, "held", 8);
  for (int i = 0; i < 8; ++i) channel.push(i);
  CHECK_FALSE(channel.ready());
}
