// SPDX-License-Identifier: Apache-2.0
// Time beyond what its 64 bits hold is an error that says so, in every sum.
#include <algorithm>
#include <limits>

#include "base/whole.hpp"
#include "sim/simulation.hpp"
#include "tests/catch.hpp"

using namespace lacuna;
using lacuna::test::contains;
using lacuna::test::error_of;
using sim::BandwidthPort;

namespace {

const auto kTooLong = contains("the run takes longer than");

}  // namespace

TEST_CASE("fault: simulated time that overflows in a port is refused") {
  BandwidthPort slow(0.001);
  // 2^40 bytes take 2^50 cycles; a 64-bit sum of ticks would have wrapped.
  CHECK_THAT(error_of([&] { (void)slow.transfer(0, std::uint64_t{1} << 40); }), kTooLong);
  CHECK_THAT(error_of([&] { (void)slow.service_time(std::uint64_t{1} << 40); }), kTooLong);
  CHECK_THROWS_AS(slow.transfer(0, std::numeric_limits<std::uint64_t>::max()), InputError);
  // Little by little as well: each of these is far from the end of time.
  BandwidthPort port(1);
  const std::uint64_t part = std::uint64_t{1} << 42;
  for (int i = 0; i < 3; ++i) (void)port.transfer(0, part);
  CHECK(port.free_at() == 3 * (part << sim::kTickBits));
  CHECK_THAT(error_of([&] { (void)port.transfer(0, part); }), kTooLong);
  CHECK_THROWS_AS(BandwidthPort(1e-30), ModelError);  // readers refuse it
}

TEST_CASE("fault: times that do not fit into ticks are refused") {
  CHECK(sim::to_ticks(sim::kMostCycles - Cycles(1)) < sim::kMostTicks);
  CHECK_THAT(error_of([] { (void)sim::to_ticks(sim::kMostCycles); }), kTooLong);
  CHECK_THAT(error_of([] { (void)sim::to_ticks(Cycles(100'000'000'000'000)); }), kTooLong);
  CHECK_THAT(error_of([] { (void)sim::to_ticks(1e30); }), kTooLong);
  CHECK_THAT(error_of([] { (void)sim::to_ticks(std::numeric_limits<double>::quiet_NaN()); }),
             kTooLong);
  CHECK(sim::to_ticks(0.5) == sim::Ticks{1} << (sim::kTickBits - 1));
  CHECK_THAT(error_of([] { (void)sim::checked(sim::kMostTicks); }), kTooLong);
  CHECK(sim::sum(5, 7) == 12);
  const sim::Ticks late = sim::kMostTicks - 1;
  CHECK(sim::sum(late, 0) == late);
  CHECK_THAT(error_of([&] { (void)sim::sum(late, late); }), kTooLong);
}

TEST_CASE("fault: an event beyond the kernel's time is refused, at slow clocks too") {
  for (const double clock : {1e6, 1e9, 1e11}) {
    sim::SimulationOptions options;
    options.clock = Hertz(clock);
    sim::Simulation simulation(options);
    // 64 bits of femtoseconds end after 2^64 / 1e9 cycles at 1 MHz.
    const Cycles beyond = std::min(
        sim::kMostCycles, Cycles(static_cast<std::uint64_t>(1.8446744073709552e19 * clock / 1e15)));
    CHECK_THAT(error_of([&] { (void)simulation.time_of(beyond); }), kTooLong);
  }
}

TEST_CASE("a count that 64 bits do not hold is refused, not undefined") {
  CHECK(whole_down(2.9) == 2);
  CHECK(whole_near(2.5) == 3);
  CHECK(whole_up(2.1) == 3);
  CHECK(whole_up(-1e-9) == 0);
  for (const double value : {1e20, -5.0, std::numeric_limits<double>::infinity(),
                             std::numeric_limits<double>::quiet_NaN()}) {
    CHECK_THROWS_AS(whole_down(value), InputError);
  }
}
