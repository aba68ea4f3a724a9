// SPDX-License-Identifier: Apache-2.0
// Do small runs of the ExTensor machine take the cycles, and count the actions, that one computes
// by hand? The machine is made simple so that this can be done: microtiles of 2 x 2, all dense,
//   memory      answers 50 cycles after it was asked, plus what the bytes take, which is one cycle
//               at most here: 51
//   K1          one cycle for each try
//   port        16 bytes a cycle out of the last-level buffer; then 3 cycles of network
//   element     one; a pair takes its tries and 2 cycles more
// A dense microtile has 2 fibers of 2 nonzeros. In memory it takes 12 + 2 x 8 + 4 x 12 = 76 bytes;
// to an element it goes as 2 x 8 (coordinates and pointers of fibers) + 2 x (8 + 2 x 8) = 64 bytes.
// Two of them are 128 bytes, 8 cycles of the port. They meet in 2 x 2 fibers with 2 matches each: 8
// tries, 8 multiplies, 4 outputs of 16 bytes. So a pair that is ready at t leaves at t, is through
// the port at t + 8, arrives at t + 11 and is done at t + 21; outputs that leave at t are in memory
// at t + 51.
#include <fmt/format.h>

#include "tests/arch/products.hpp"

using namespace lacuna;
using lacuna::test::machine;
using lacuna::test::simulate;

namespace {

/// All-dense operands of this many microtiles; tiles of `k1` microtiles of K.
struct Case {
  std::uint64_t m = 1, k = 1, n = 1;
  std::uint64_t k1 = 100;
  std::vector<std::string> settings = {};
  Fidelity fidelity = Fidelity::tile;
};

MachineStatistics run(const Case& c) {
  std::vector<std::string> settings{"tiling.microtile={m0: 2, k0: 2, n0: 2}",
                                    "dram.bandwidth=1e6 B/cycle",
                                    "dram.latency=50 cycles",
                                    "buffers.llb.bandwidth=16 B/cycle",
                                    "buffers.llb.line=8 B",
                                    "network.latency=3 cycles",
                                    "pes.count=1",
                                    "pes.pair_overhead=2 cycles"};
  settings.insert(settings.end(), c.settings.begin(), c.settings.end());
  const MachineSpec spec = machine("extensor", settings);
  const auto dense = [](std::uint64_t rows, std::uint64_t cols) {
    return test::random_matrix(static_cast<Coordinate>(2 * rows), static_cast<Coordinate>(2 * cols),
                               2, 1);
  };
  const ProductOperands operands(dense(c.m, c.k), dense(c.n, c.k), spec.microtile);
  return simulate(spec, operands, {100, c.k1, 100}, test::at(c.fidelity)).statistics;
}

/// A share of B of 100 bytes.
std::vector<std::string> overbooked(const std::string& policy) {
  std::vector<std::string> settings{
      "buffers.llb.capacity=320 B", "buffers.llb.shares={A: 0.5, B: 0.3125, Z: 0.1}",
      "intersect.k1.tries_per_cycle=unbounded", "buffers.llb.policy=" + policy};
  if (policy == "tailors") settings.emplace_back("buffers.llb.window=40 B");
  return settings;
}

/// 0 asked for; 51 both microtiles are there; 52 K1 has found the pair; 52 + 21 = 73 it is done;
/// 73 + 51 = 124 the outputs are in memory.
const Case kOnePair;

}  // namespace

TEST_CASE("by hand: one pair of microtiles, from memory and back") {
  const MachineStatistics s = run(kOnePair);
  CHECK(s.cycles == Cycles(124));
  CHECK(s.stalls.wait_a == 51);
  CHECK(s.stalls.wait_intersect == 1);
  CHECK(s.stalls.wait_network == 11);
  CHECK(s.stalls.busy == 10);
  CHECK(s.stalls.drain == 51);
}

// Lines of 8 bytes: 152 bytes come from memory (19) and 64 of outputs (8) into the buffer; the
// pair's 128 bytes (16) and the outputs (8) leave it. The element's buffer takes the pair's 16
// lines and an output for each multiply; each try and each multiply reads two, each add one, the
// outputs 8 lines.
TEST_CASE("by hand: the actions of one pair") {
  const MachineStatistics s = run(kOnePair);
  const ActionCounts expected{{"dram", {{"read_bits", 8 * 152}, {"write_bits", 8 * 64}}},
                              {"llb", {{"read", 16 + 8}, {"write", 19 + 8}}},
                              // 152 + 64; the pair's 128 and the outputs
                              {"link_memory", {{"byte", 152 + 64}}},
                              {"link_elements", {{"byte", 128 + 64}}},
                              {"peb", {{"read", 2 * (8 + 8) + 4 + 8}, {"write", 16 + 8}}},
                              {"intersect_k0", {{"try", 8}, {"match", 8}}},
                              {"intersect_k1", {{"try", 1}, {"match", 1}}},
                              {"intersect_k2", {{"try", 1}}},
                              {"multiplier", {{"compute", 8}}},
                              {"adder", {{"compute", 8 - 4}}},
                              // N2 K2 M2 M1 N1 K1: one each; M0 2, N0 4, K0 8
                              {"sequencer", {{"step", 6 + 2 + 4 + 8}}}};
  CHECK(s.actions == expected);
}

// Stepped by fibers of A, work starts when B's 64 bytes and the first fiber's 8 + 8 + 2 x 8 = 32
// are there: 52 + 96 / 16 + 3 = 61. Two cycles of overhead and 4 tries: 67; the second fiber
// arrived at 63; 4 tries more: 71. 71 + 51 = 122.
TEST_CASE("by hand: one pair, element by element, starts with its first fiber") {
  const MachineStatistics s = run({.fidelity = Fidelity::element});
  CHECK(s.cycles == Cycles(122));
  CHECK(s.stalls.wait_network == 9);
}

// K of two microtiles: the first pair is done at 73 as above and was begun at 63. The second is
// found at 53. With room for two pairs in the element it leaves when the first has begun, at 63,
// arrives at 74 and is done at 84; with room for one it leaves when the first is done: 73 + 21 =
// 94; with room for three it leaves behind the first, at 60, waits from 71 to 73 and is done at 83.
TEST_CASE("by hand: a second pair leaves when there is room for it in the element") {
  const auto pairs_in_flight = GENERATE(1, 2, 3);
  const std::uint64_t done = pairs_in_flight == 1 ? 94 : pairs_in_flight == 2 ? 84 : 83;
  const MachineStatistics s =
      run({.k = 2, .settings = {fmt::format("buffers.peb.pairs_in_flight={}", pairs_in_flight)}});
  CHECK(s.cycles == Cycles(done + 51));
  CHECK(s.stalls.busy == 20);
}

// Two elements: the second pair leaves at 60 behind the first and is done at 60 + 21 = 81. Found at
// a tenth of a try a cycle, the pairs are ready at 61 and 71: 71 + 21 = 92.
TEST_CASE("by hand: a second element takes the second pair as soon as port and K1 allow") {
  CHECK(run({.k = 2, .settings = {"pes.count=2"}}).cycles == Cycles(81 + 51));
  CHECK(run({.k = 2, .settings = {"pes.count=2", "intersect.k1.tries_per_cycle=0.1"}}).cycles ==
        Cycles(92 + 51));
}

// The same two pairs as two tiles of K: the outputs of the first leave at 73, come back as partial
// outputs (asked for at once, with all else) and leave a second time with the second row, done
// at 84.
TEST_CASE("by hand: partial outputs come back and leave again") {
  const MachineStatistics s = run({.k = 2, .k1 = 1});
  CHECK(s.cycles == Cycles(84 + 51));
  CHECK(s.traffic.at("dram").at("Z_partial") == Moved{64, 64});
  CHECK(s.traffic.at("dram").at("Z") == Moved{0, 64});
  // Into the buffer: 4 x 76 + 64 bytes (46 lines) from memory and 128 (16) of outputs. Out of it:
  // two pairs (32), outputs on their way to memory (16) and partial ones on their way back (8).
  CHECK(s.actions.at("llb").at("write") == 46 + 16);
  CHECK(s.actions.at("llb").at("read") == 32 + 16 + 8);
}

// A share of 94 bytes holds the outputs of one row: the second row's wait until the first's are in
// memory, at 73 + 51 = 124.
TEST_CASE("by hand: outputs wait for room on their way to memory") {
  const MachineStatistics s =
      run({.k = 2, .k1 = 1, .settings = {"buffers.llb.shares={A: 0.45, B: 0.5, Z: 0.000003}"}});
  CHECK(s.cycles == Cycles(124 + 51));
}

// At 8 bytes a cycle the two microtiles are there at 152 / 8 + 50 = 69, in whatever order; 69 + 21
// = 90 (K1 takes no time here); outputs take 64 / 8 + 50.
TEST_CASE("by hand: the rate of the memory") {
  const MachineStatistics s =
      run({.settings = {"dram.bandwidth=8 B/cycle", "intersect.k1.tries_per_cycle=unbounded"}});
  CHECK(s.cycles == Cycles(90 + 58));
}

// Two rows of A walk a tile of B of two microtiles, 152 bytes in a share of 100; K1 takes no time.
// Tailors with a window of 40 keeps 60 of them; the second walk brings 152 - 60 = 92 again. B's
// stream:
//     0  100 bytes asked for            51  there: pair 1 (76) leaves; 40 beyond the head given
//     back
//    51  40 more                       102  140: pair 2 needs 152; 40 given back
//   102  40 more                       153  180: pair 2 leaves, and row 1 is through
//   153  the second walk: pair 1 needs 152 + (76 - 60) = 168 and leaves; in all 40 given back
//   153  40 more                       204  220: pair 2 needs 152 + 92 = 244
//   204  24 more                       255  pair 2 leaves; done at 255 + 21 = 276
TEST_CASE("by hand: the tail of an overbooked tile streams through its window, walk after walk") {
  const MachineStatistics s = run({.m = 2, .n = 2, .settings = overbooked("tailors")});
  CHECK(s.cycles == Cycles(276 + 51));
  CHECK(s.traffic.at("dram").at("A").read_bytes == 2 * 76);
  CHECK(s.traffic.at("dram").at("B").read_bytes == 152 + 92);
}

// A buffet keeps nothing, but streams through all of its share:
//     0  100 bytes asked for            51  there: pair 1 leaves; all 100 given back
//    51  100 more                      102  200: pair 2 leaves, and row 1 is through
//   102  the second walk: pair 1 needs 152 + 76 = 228; all 100 given back
//   102  100 more                      153  300: pair 1 leaves; pair 2 needs 304; 100 given back
//   153  4 more                        204  pair 2 leaves; done at 204 + 21 = 225
TEST_CASE("by hand: a buffet brings an overbooked tile again whole") {
  const MachineStatistics s = run({.m = 2, .n = 2, .settings = overbooked("buffet")});
  CHECK(s.cycles == Cycles(225 + 51));
  CHECK(s.traffic.at("dram").at("B").read_bytes == 2 * 152);
}
