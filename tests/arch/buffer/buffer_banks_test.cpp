// SPDX-License-Identifier: Apache-2.0
// Does a bank give one line in a cycle to one access, the first to ask, and does nobody wait who
// finds his banks free?
#include "arch/buffer/buffer_banks.hpp"

#include <map>

#include "base/random.hpp"
#include "tests/arch/buffer/streams.hpp"

using namespace lacuna;
using namespace lacuna::test;

namespace {

constexpr sim::Ticks kBankCycle = sim::Ticks{1} << sim::kTickBits;

}  // namespace

TEST_CASE("a stream alone as wide as all banks passes in its time") {
  BufferBanks banks(4, 64);
  BufferBanks::Place place = 0;
  for (std::uint64_t i = 0; i < 100; ++i) {
    CHECK(banks.access(place, 10 * i * kBankCycle, 10 * (i + 1) * kBankCycle, 10 * 4 * 64) ==
          10 * (i + 1) * kBankCycle);
  }
  CHECK(banks.conflicts() == 0);
  CHECK(banks.lines() == 4000);
}

// One bank of 64 bytes: 128 bytes in a cycle want it twice.
TEST_CASE("an access wider than the banks takes as long as they do") {
  BufferBanks banks(1, 64);
  BufferBanks::Place place = 0;
  CHECK(banks.access(place, 0, 10 * kBankCycle, 20 * 64) == 20 * kBankCycle);
  CHECK(banks.waited() ==
        0 + 1 + 1 + 2 + 2 + 3 + 3 + 4 + 4 + 5 + 5 + 6 + 6 + 7 + 7 + 8 + 8 + 9 + 9 + 10);
}

TEST_CASE("of two that want one bank in a cycle the one that asks later waits, elsewhere nobody") {
  BufferBanks banks(2, 64);
  BufferBanks::Place even = 0, other = 0, odd = 64;
  CHECK(banks.access(even, 5 * kBankCycle, 6 * kBankCycle, 64) == 6 * kBankCycle);
  CHECK(banks.access(odd, 5 * kBankCycle, 6 * kBankCycle, 64) == 6 * kBankCycle);
  CHECK(banks.access(other, 5 * kBankCycle, 6 * kBankCycle, 64) == 7 * kBankCycle);
  CHECK(banks.access(even, 5 * kBankCycle, 6 * kBankCycle, 64) ==
        7 * kBankCycle);  // now in the odd bank
  CHECK(banks.conflicts() == 2);
}

TEST_CASE("part of a line takes the line, and the next access the same one again") {
  BufferBanks banks(2, 64);
  BufferBanks::Place place = 0;
  (void)banks.access(place, 0, kBankCycle, 10);
  (void)banks.access(place, kBankCycle, 2 * kBankCycle, 10);
  CHECK(banks.lines() == 2);
  (void)banks.access(place, 2 * kBankCycle, 3 * kBankCycle, 64);  // over the end of the line
  CHECK(banks.lines() == 4);
}

TEST_CASE("random accesses: no bank serves two lines in a cycle, and none is passed over") {
  RandomStream random(11, "banks");
  for (int round = 0; round < 50; ++round) {
    const std::uint64_t count = 1 + random.below(6), line = 20 + random.below(100);
    BufferBanks banks(count, line);
    std::map<std::uint64_t, std::map<std::uint64_t, bool>> taken;
    std::vector<BufferBanks::Place> places(3);
    std::uint64_t now = 0;
    for (int i = 0; i < 300; ++i) {
      now += random.below(12);
      banks.forget(Cycles(now));
      BufferBanks::Place& place = places[random.below(3)];
      const std::uint64_t bytes = 1 + random.below(500);
      const sim::Ticks from = now * kBankCycle + random.below(kBankCycle);
      const sim::Ticks to = from + random.below(20 * kBankCycle);
      // Line by line, each in the first free cycle of its bank.
      const std::uint64_t first = place / line, lines = ceil_div(place + bytes, line) - first;
      sim::Ticks want = to;
      for (std::uint64_t l = 0; l < lines; ++l) {
        const auto part = [&](std::uint64_t n) { return from + (to - from) * n / lines; };
        auto& bank = taken[(first + l) % count];
        std::uint64_t cycle = part(l) >> sim::kTickBits;
        const std::uint64_t wanted = cycle;
        while (bank.count(cycle) > 0) ++cycle;
        bank[cycle] = true;
        if (cycle > wanted) want = std::max(want, part(l + 1) + (cycle - wanted) * kBankCycle);
      }
      REQUIRE(banks.access(place, from, to, bytes) == want);
    }
  }
}

// Memory gives 10 bytes a cycle from 50 on, into two banks of 10 bytes; somebody reads both all the
// time until 200.
TEST_CASE("what comes into a buffer waits for its banks") {
  for (const bool busy : {false, true}) {
    sim::Simulation simulation;
    const DramSpec spec = memory_of(10, 50, 400);
    FixedMemory dram("dram", simulation, spec);
    BufferBanks banks(2, 10);
    BufferPort port(simulation, 1e6, &banks);
    StreamModule stream("stream", simulation, Tensor::a, 1 << 20, client_of(dram, 0, spec),
                        {{nullptr, {&port, 0}}});
    Moments out;
    Watcher watcher("watcher", simulation, stream.arrival(),
                    [&] { out.emplace_back(simulation.now().count(), stream.arrived()); });
    Process process("process", simulation, [&](Process&) {
      stream.request({0, 1000});
      BufferBanks::Place reads = 0;
      if (busy) (void)banks.access(reads, 0, 200 * kBankCycle, 200 * 20);
    });
    simulation.run();
    if (!busy) {
      CHECK(out == Moments{{90, 400}, {130, 800}, {150, 1000}});
      CHECK(use_of(port).waited == 0);
    } else {
      // 40 lines for two banks, which are free from 200 on; then 40 and 20 more.
      CHECK(out == Moments{{220, 400}, {240, 800}, {250, 1000}});
      CHECK(use_of(port).waited == 130 + 110 + 100);
    }
  }
}
