// SPDX-License-Identifier: Apache-2.0
// Times of a machine's elements summed up beyond 64 bits.
#include "arch/compute/pe_array.hpp"
#include "tests/catch.hpp"

using namespace lacuna;

TEST_CASE("fault: idle time of many elements is summed beyond 64 bits of ticks") {
  // 40,000 pairs that each keep an element waiting for a latency of 1e9 cycles: 4e13 cycles, 2^65
  // ticks.
  constexpr std::uint64_t kPairs = 40'000, kLatency = 1'000'000'000;
  PeSpec pes;
  pes.count = kPairs;
  LlbSpec llb;
  llb.bytes_per_cycle = 64;
  PeArray array(pes, PebSpec{}, llb, {Cycles(kLatency)});
  for (std::uint64_t i = 0; i < kPairs; ++i) (void)array.place(0, 64, 1);
  const StallBreakdown breakdown = array.breakdown(array.last_end());
  CHECK(breakdown.busy == kPairs);
  CHECK(breakdown.wait_network >= kPairs * kLatency);
}
