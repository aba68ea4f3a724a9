// SPDX-License-Identifier: Apache-2.0
// Does a port move bytes at exactly its rate, however small or many the transfers?
#include "sim/port.hpp"

#include <cmath>
#include <limits>

#include "base/random.hpp"
#include "tests/catch.hpp"

using namespace lacuna;
using sim::BandwidthPort;
using sim::Ticks;
using sim::to_cycles_up;
using sim::to_ticks;

namespace {

constexpr Ticks kCycle = Ticks{1} << sim::kTickBits;

}  // namespace

TEST_CASE("ticks round up to whole cycles, and whole cycles stay") {
  CHECK(to_cycles_up(0) == Cycles(0));
  CHECK(to_cycles_up(1) == Cycles(1));
  CHECK(to_cycles_up(kCycle) == Cycles(1));
  CHECK(to_cycles_up(kCycle + 1) == Cycles(2));
  CHECK(to_ticks(Cycles(3)) == 3 * kCycle);
}

TEST_CASE("transfers shorter than a cycle share it") {
  BandwidthPort port(64);
  CHECK(port.transfer(0, 16) == kCycle / 4);
  CHECK(port.transfer(0, 16) == kCycle / 2);
  CHECK(port.transfer(0, 32) == kCycle);
  CHECK(port.bytes() == 64);
  CHECK(port.busy() == kCycle);
}

TEST_CASE("a port that was idle starts now, one that is busy when it becomes free") {
  BandwidthPort port(1);
  CHECK(port.transfer(to_ticks(Cycles(10)), 5) == to_ticks(Cycles(15)));
  CHECK(port.transfer(to_ticks(Cycles(11)), 5) == to_ticks(Cycles(20)));
  CHECK(port.transfer(to_ticks(Cycles(30)), 5) == to_ticks(Cycles(35)));
  CHECK(port.busy() == to_ticks(Cycles(15)));
}

TEST_CASE("an unbounded port takes no time") {
  for (const double rate : {0.0, std::numeric_limits<double>::infinity()}) {
    BandwidthPort port(rate);
    CHECK(port.transfer(7, std::uint64_t{1} << 40) == 7);
    CHECK(port.busy() == 0);
  }
}

TEST_CASE("nothing to move takes no time") {
  BandwidthPort port(3);
  CHECK(port.transfer(5, 0) == 5);
}

// The rounding of each transfer must not add up: a million single bytes at any rate take what one
// transfer of a million bytes takes, and both take bytes / rate.
TEST_CASE("rounding does not accumulate over transfers") {
  const auto rate = GENERATE(0.001, 0.37, 1.0, 3.0, 73.289322, 1000.0, 10007.0, 2048.0, 3e6);
  const auto size = GENERATE(std::uint64_t{1}, std::uint64_t{7}, std::uint64_t{16384});
  constexpr std::uint64_t transfers = 1'000'000;
  BandwidthPort port(rate);
  Ticks done = 0;
  for (std::uint64_t i = 0; i < transfers; ++i) done = port.transfer(0, size);
  const double exact = std::ldexp(static_cast<double>(size * transfers) / rate, sim::kTickBits);
  CAPTURE(rate, size, exact);
  CHECK(std::abs(static_cast<double>(done) - exact) <= 1 + 1e-12 * exact);
  CHECK(BandwidthPort(rate).transfer(0, size * transfers) == done);
}

TEST_CASE("completions never go back and never beat the rate") {
  RandomStream random(1, "port");
  const double rate = 73.289;
  BandwidthPort port(rate);
  Ticks now = 0, last = 0;
  for (int i = 0; i < 20000; ++i) {
    now += random.below(3) == 0 ? random.below(4 * kCycle) : 0;
    const std::uint64_t bytes = 1 + random.below(200);
    const Ticks before = std::max(now, port.free_at());
    const Ticks done = port.transfer(now, bytes);
    REQUIRE(done >= last);
    const double took = static_cast<double>(done - before);
    REQUIRE(took >= std::ldexp(static_cast<double>(bytes) / rate, sim::kTickBits) - 1);
    last = done;
  }
}
