// SPDX-License-Identifier: Apache-2.0
// Does an overbooked run fetch exactly what the closed form says, tile after tile, and does the
// buffer's window change nothing but traffic and time?
#include "arch/program/stored_bytes.hpp"
#include "base/units.hpp"
#include "sparse_formats/reference_product.hpp"
#include "tests/arch/products.hpp"

using namespace lacuna;
using lacuna::test::at;
using lacuna::test::dram_reads;
using lacuna::test::machine;
using lacuna::test::random_matrix;
using lacuna::test::simulate;

namespace {

/// A stationary tile as the loop order makes it: its bytes and how often it is walked.
struct Walked {
  std::uint64_t bytes = 0;
  std::uint64_t walks = 0;
};

/// Straight from the loop nest: one tile per (n2, k2) that both operands reach, one walk per
/// nonempty row of A microtiles within k2.
std::vector<Walked> walked_tiles(const ProductOperands& operands, const MachineSpec& spec,
                                 LoopTiles tiles) {
  std::vector<Walked> out;
  const auto& a = operands.a_grid;
  const auto& b = operands.b_grid;
  for (Coordinate n1 = 0; n1 < b.outer_blocks(); n1 += static_cast<Coordinate>(tiles.n1)) {
    for (Coordinate k1 = 0; k1 < b.inner_blocks(); k1 += static_cast<Coordinate>(tiles.k1)) {
      const auto k_end = static_cast<Coordinate>(k1 + tiles.k1);
      Walked tile;
      for (Coordinate n = n1; n < std::min<std::uint64_t>(b.outer_blocks(), n1 + tiles.n1); ++n) {
        const auto list = b.list(n, k1, k_end);
        if (!list.empty()) tile.bytes += list_bytes(list.size(), spec.formats.b);
        for (const Microtile& microtile : list) {
          tile.bytes += stored_bytes(microtile, spec.formats.b, spec.dram.burst);
        }
      }
      for (Coordinate m = 0; m < a.outer_blocks(); ++m) tile.walks += !a.list(m, k1, k_end).empty();
      if (tile.bytes > 0 && tile.walks > 0) out.push_back(tile);
    }
  }
  return out;
}

struct Workload {
  CsrMatrix a, b_transposed;
  std::vector<std::string> settings;
  LoopTiles tiles;
};

Workload workload(std::uint64_t seed) {
  RandomStream random(seed, "overbooked");
  const auto edge = [&] { return static_cast<Coordinate>(20 + random.below(120)); };
  const Coordinate m = edge(), n = edge(), k = edge();
  return {random_matrix(m, k, 0.02 + 0.3 * random.uniform(), random()),
          random_matrix(n, k, 0.02 + 0.3 * random.uniform(), random()),
          {"dataflow.partition.K1=64", "dataflow.partition.N1=96",
           "tiling.microtile={m0: 16, k0: 16, n0: 16}"},
          {1 + random.below(4), 1 + random.below(5), 1 + random.below(5)}};
}

MachineSpec with_share(const Workload& w, const char* policy, std::uint64_t share,
                       std::uint64_t window) {
  auto settings = w.settings;
  settings.push_back(fmt::format("buffers.llb.capacity={} B", 16 * share));
  settings.push_back("buffers.llb.shares={A: 0.875, B: 0.0625, Z: 0.0625}");
  settings.push_back(fmt::format("buffers.llb.policy={}", policy));
  settings.push_back(fmt::format("buffers.llb.window={} B", window));
  return machine("extensor-ob", settings);
}

}  // namespace

TEST_CASE("overbooked tiles: B is fetched n + (r - 1)(n - (b - f)) bytes, in both fidelities") {
  std::uint64_t overbooked = 0, fitting = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const Workload w = workload(seed);
    RandomStream random(seed, "share");
    const std::uint64_t share = 50 + random.below(6000), window = 1 + random.below(share);
    const MachineSpec spec = with_share(w, "tailors", share, window);
    const ProductOperands operands(w.a, w.b_transposed, spec.microtile);
    std::uint64_t expected = 0;
    for (const Walked& tile : walked_tiles(operands, spec, w.tiles)) {
      expected += tile.bytes;
      if (tile.bytes > share) expected += (tile.walks - 1) * (tile.bytes - (share - window));
      ++(tile.bytes > share ? overbooked : fitting);
    }
    CAPTURE(seed, share, window);
    CHECK(dram_reads(simulate(spec, operands, w.tiles).statistics, "B") == expected);
    CHECK(dram_reads(simulate(spec, operands, w.tiles, at(Fidelity::element)).statistics, "B") ==
          expected);
  }
  CHECK(overbooked > 50);
  CHECK(fitting > 20);
}

TEST_CASE("overbooked tiles: a buffet fetches them again whole, on every walk") {
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    const Workload w = workload(seed);
    const std::uint64_t share = 400 + 100 * seed;
    const MachineSpec spec = with_share(w, "buffet", share, 1);
    const ProductOperands operands(w.a, w.b_transposed, spec.microtile);
    std::uint64_t expected = 0;
    for (const Walked& tile : walked_tiles(operands, spec, w.tiles)) {
      expected += tile.bytes * (tile.bytes > share ? tile.walks : 1);
    }
    CAPTURE(seed, share);
    CHECK(dram_reads(simulate(spec, operands, w.tiles).statistics, "B") == expected);
  }
}

TEST_CASE("the window changes B's traffic and the time, never the product or other traffic") {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    const Workload w = workload(seed);
    constexpr std::uint64_t share = 900;
    const MachineSpec first = with_share(w, "tailors", share, 1);
    const ProductOperands operands(w.a, w.b_transposed, first.microtile);
    const RunOutcome base = simulate(first, operands, w.tiles, at(Fidelity::tile, true));
    for (const std::uint64_t window : {2U, 37U, 450U, 899U, 900U}) {
      const RunOutcome outcome = simulate(with_share(w, "tailors", share, window), operands,
                                          w.tiles, at(Fidelity::tile, true));
      CAPTURE(seed, window);
      CHECK(outcome.product->columns == base.product->columns);
      CHECK(outcome.product->values == base.product->values);
      CHECK(dram_reads(outcome.statistics, "B") >= dram_reads(base.statistics, "B"));
      for (const char* tensor : {"A", "Z", "Z_partial"}) {
        CHECK((outcome.statistics.traffic.at("dram").at(tensor) ==
               base.statistics.traffic.at("dram").at(tensor)));
      }
    }
  }
}

TEST_CASE("where every tile fits, Tailors is a buffet to the cycle") {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    const Workload w = workload(seed);
    const MachineSpec tailors = with_share(w, "tailors", 1 << 20, 4096);
    const MachineSpec buffet = with_share(w, "buffet", 1 << 20, 4096);
    const ProductOperands operands(w.a, w.b_transposed, tailors.microtile);
    const MachineStatistics x = simulate(tailors, operands, w.tiles).statistics;
    const MachineStatistics y = simulate(buffet, operands, w.tiles).statistics;
    CHECK(x.traffic == y.traffic);
    CHECK(x.cycles == y.cycles);
  }
}

TEST_CASE(
    "a row of A larger than its share streams, and is fetched once for each column it walks") {
  const CsrMatrix a = random_matrix(40, 120, 0.5, 1);
  const CsrMatrix b = random_matrix(60, 120, 0.3, 2);
  const auto run = [&](const char* policy, std::uint64_t capacity) {
    const MachineSpec spec = machine(
        "extensor-ob", {"dataflow.partition.K1=64", "dataflow.partition.N1=96",
                        "tiling.microtile={m0: 8, k0: 8, n0: 8}",
                        fmt::format("buffers.llb.capacity={} B", capacity),
                        "buffers.llb.shares={A: 0.1, B: 0.8, Z: 0.1}", "buffers.llb.window=500 B",
                        fmt::format("buffers.llb.policy={}", policy)});
    const ProductOperands operands(a, b, spec.microtile);
    std::uint64_t expected = 0;
    const auto share = static_cast<std::uint64_t>(0.1 * static_cast<double>(capacity));
    for (Coordinate m1 = 0; m1 < operands.a_grid.outer_blocks(); ++m1) {
      std::uint64_t bytes = 0;
      for (const Microtile& tile : operands.a_grid.list(m1)) {
        bytes += stored_bytes(tile, spec.formats.a, spec.dram.burst);
      }
      const std::uint64_t again = bytes <= share ? 0
                                  : std::string(policy) == "buffet"
                                      ? bytes
                                      : bytes - (share - std::min<std::uint64_t>(share, 500));
      expected += bytes + (operands.b_grid.outer_blocks() - 1) * again;
    }
    const RunOutcome outcome = simulate(spec, operands, {5, 15, 8}, at(Fidelity::tile, true));
    CHECK(dram_reads(outcome.statistics, "A") == expected);
    CHECK(outcome.product->columns == reference_product(a, transpose(b)).columns);
  };
  for (const std::uint64_t capacity : {7000U, 20000U, 80000U, 1000000U}) {
    run("tailors", capacity);
    run("buffet", capacity);
  }
}

// Rows of a narrow stripe hold few pairs each. How many rows are decoded ahead must not decide how
// many of them can be computed at a time: only outputs that are done and cannot leave hold back.
TEST_CASE("rows of one pair each keep all elements at work, whatever is decoded ahead") {
  const CsrMatrix a = random_matrix(4096, 16, 1, 1);
  const CsrMatrix bt = random_matrix(16, 16, 1, 2);
  for (const int lookahead : {2, 8, 100}) {
    const MachineSpec spec =
        machine("extensor", {"tiling.microtile={m0: 16, k0: 16, n0: 16}", "pes.count=64",
                             "dram.bandwidth=100000 B/cycle", "dram.latency=0 cycles",
                             fmt::format("sequencer.lookahead={}", lookahead)});
    const ProductOperands operands(a, bt, spec.microtile);
    const MachineStatistics s = simulate(spec, operands, {1000, 1, 1}).statistics;
    CAPTURE(lookahead, s.cycles.count());
    // 256 pairs of 16 x 16 x 16 tries: four for each of the 64 elements.
    CHECK(s.cycles_bound == Cycles(4 * 4096));
    CHECK(s.cycles < Cycles(5 * 4096));
  }
}
