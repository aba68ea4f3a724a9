// SPDX-License-Identifier: Apache-2.0
// Does the program move what the published counting rules say, on any operands? The rules (sums
// over stripes, microtiles and passes) are evaluated here coordinate by coordinate, without the
// grids and without the program's order.
#include <map>
#include <set>

#include "tests/arch/products.hpp"

using namespace lacuna;
using lacuna::test::machine;
using lacuna::test::random_matrix;

namespace {

using Places = std::set<std::pair<Coordinate, Coordinate>>;
using Block = std::pair<std::uint64_t, std::uint64_t>;

struct Microtiles {
  std::map<Block, Places> tiles;  // (outer block, k1) -> (outer, k)

  Microtiles(const CsrMatrix& matrix, Coordinate outer, Coordinate inner) {
    for (Coordinate row = 0; row < matrix.rows; ++row) {
      for (const Coordinate col : matrix.cols_of(row)) {
        tiles[{row / outer, col / inner}].insert({row, col});
      }
    }
  }
};

std::uint64_t fibers(const Places& places, bool outer) {
  std::set<Coordinate> seen;
  for (const auto& [row, col] : places) seen.insert(outer ? row : col);
  return seen.size();
}

struct Expected {
  std::uint64_t a = 0, b = 0;
  std::uint64_t before = 0, after = 0;  // R and W, in nonzeros
  std::uint64_t matches = 0;
};

/// 12 + 8 f + 12 z bytes for each microtile of A whose row block meets the stripe, f its rows; for
/// each of B once, f its rows over k again (across K in B's own terms).
Expected evaluate(const CsrMatrix& a, const CsrMatrix& bt, const MicrotileSpec& shape,
                  const LoopTiles& t) {
  const Microtiles am(a, shape.m0, shape.k0), bm(bt, shape.n0, shape.k0);
  Expected e;
  std::set<Block> met;  // (n2, k1): stripe n2 has a B microtile in row block k1
  std::map<std::uint64_t, std::set<std::uint64_t>> b_columns, a_rows;  // k1 -> n1, k1 -> m1
  for (const auto& [block, places] : bm.tiles) {
    met.insert({block.first / t.n1, block.second});
    b_columns[block.second].insert(block.first);
  }
  for (const auto& [block, places] : am.tiles) a_rows[block.second].insert(block.first);
  for (const auto& [n2, k1] : met) {
    for (const auto& [block, places] : am.tiles) {
      if (block.second == k1) e.a += 12 + 8 * fibers(places, true) + 12 * places.size();
    }
  }
  // A tile of B is fetched when A reaches its K2 block at all.
  std::set<std::uint64_t> a_k2;
  for (const auto& [block, places] : am.tiles) a_k2.insert(block.second / t.k1);
  for (const auto& [block, places] : bm.tiles) {
    if (a_k2.count(block.second / t.k1) == 0) continue;
    e.b += 12 + 8 * fibers(places, false) + 12 * places.size();
  }
  // Z microtiles with a match in a pass, by (m1, n1) and K2 block; and when each output appears.
  std::map<Block, std::set<std::uint64_t>> passes;
  for (const auto& [k1, rows] : a_rows) {
    for (const std::uint64_t m1 : rows) {
      for (const std::uint64_t n1 : b_columns[k1]) {
        passes[{m1, n1}].insert(k1 / t.k1);
        ++e.matches;
      }
    }
  }
  std::map<std::pair<Coordinate, Coordinate>, std::uint64_t> born;  // (m, n) -> K2 block
  for (Coordinate m = 0; m < a.rows; ++m) {
    for (Coordinate n = 0; n < bt.rows; ++n) {
      std::vector<Coordinate> common;
      const auto x = a.cols_of(m), y = bt.cols_of(n);
      std::set_intersection(x.begin(), x.end(), y.begin(), y.end(), std::back_inserter(common));
      if (!common.empty()) born[{m, n}] = common.front() / shape.k0 / t.k1;
    }
  }
  for (const auto& [place, k2] : born) {
    for (const std::uint64_t pass : passes[{place.first / shape.m0, place.second / shape.n0}]) {
      e.before += pass > k2;
      e.after += pass >= k2;
    }
  }
  return e;
}

struct Case {
  Coordinate m, n, k;
  double a_density, b_density;
  MicrotileSpec shape;  // m0, n0, k0
  LoopTiles tiles;      // m1, k1, n1
};

}  // namespace

TEST_CASE("traffic follows the published counting rules on random operands") {
  const std::vector<Case> cases{
      {30, 30, 30, 0.05, 0.05, {4, 4, 4}, {2, 2, 2}},
      {50, 20, 70, 0.02, 0.1, {8, 8, 8}, {1, 3, 2}},
      {17, 64, 33, 0.2, 0.01, {3, 5, 7}, {4, 1, 5}},
      {64, 64, 64, 0.005, 0.005, {1, 1, 1}, {8, 8, 8}},
      {40, 40, 100, 0.1, 0.1, {16, 16, 128}, {2, 1, 1}},
      {25, 35, 45, 1.0, 0.3, {8, 16, 4}, {9, 2, 9}},
      {60, 60, 60, 0.01, 0.3, {5, 9, 2}, {3, 7, 4}},
  };
  for (const Case& c : cases) {
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
      const CsrMatrix a = random_matrix(c.m, c.k, c.a_density, seed);
      const CsrMatrix bt = random_matrix(c.n, c.k, c.b_density, seed + 50);
      MachineSpec spec = machine("extensor");
      spec.microtile = c.shape;
      const ProductOperands operands(a, bt, spec.microtile);
      const MachineStatistics s = lacuna::test::simulate(spec, operands, c.tiles).statistics;
      const Expected e = evaluate(a, bt, c.shape, c.tiles);
      CAPTURE(c.m, c.n, c.k, c.tiles.m1, c.tiles.k1, c.tiles.n1, seed);
      CHECK(lacuna::test::dram_reads(s, "A") == e.a);
      CHECK(lacuna::test::dram_reads(s, "B") == e.b);
      CHECK(lacuna::test::dram_reads(s, "Z_partial") == 16 * e.before);
      CHECK(lacuna::test::dram_writes(s, "Z_partial") == 16 * e.before);
      CHECK(lacuna::test::dram_writes(s, "Z") == 16 * (e.after - e.before));
      CHECK(s.iterations.at("K1") == e.matches);
    }
  }
}

TEST_CASE("each burst is whole: microtiles are rounded up one by one") {
  const CsrMatrix a = random_matrix(64, 64, 0.05, 1);
  const CsrMatrix bt = random_matrix(64, 64, 0.05, 2);
  MachineSpec spec =
      machine("extensor", {"dram.burst=64 B", "tiling.microtile={m0: 8, k0: 8, n0: 8}"});
  const ProductOperands operands(a, bt, spec.microtile);
  const MachineStatistics s = lacuna::test::simulate(spec, operands, {8, 8, 8}).statistics;
  std::uint64_t expected = 0;
  for (const Microtile& tile : operands.b_grid.all()) {
    expected +=
        (12 + 8 * std::uint64_t{tile.inner_fibers} + 12 * std::uint64_t{tile.nnz} + 63) / 64 * 64;
  }
  CHECK(lacuna::test::dram_reads(s, "B") == expected);
  CHECK(lacuna::test::dram_reads(s, "A") % 64 == 0);
}

TEST_CASE("operands without a nonzero, and of one place, run") {
  struct Empty {
    Coordinate m, n, k;
    double a, b;
  };
  for (const Empty e : {Empty{1, 1, 1, 0, 0}, Empty{1, 1, 1, 1, 1}, Empty{300, 200, 150, 0, 0.1},
                        Empty{300, 200, 150, 0.1, 0}, Empty{1, 500, 1, 1, 1},
                        Empty{500, 1, 1, 1, 1}, Empty{1, 1, 500, 1, 1}}) {
    const CsrMatrix a = random_matrix(e.m, e.k, e.a, 1), bt = random_matrix(e.n, e.k, e.b, 2);
    for (const char* name : {"extensor", "extensor-ob", "extensor-teaal"}) {
      const MachineSpec spec = machine(name);
      const ProductOperands operands(a, bt, spec.microtile);
      for (const Fidelity fidelity : {Fidelity::tile, Fidelity::element}) {
        const RunOutcome outcome =
            lacuna::test::simulate(spec, operands, {1, 1, 1}, lacuna::test::at(fidelity, true));
        CAPTURE(name, e.m, e.n, e.k, e.a, e.b);
        const bool any = e.a > 0 && e.b > 0;
        CHECK(outcome.product->nnz() == (any ? std::uint64_t{e.m} * e.n : 0));
        CHECK(outcome.statistics.macs_effectual == (any ? std::uint64_t{e.m} * e.n * e.k : 0));
        if (!any) CHECK(outcome.statistics.cycles == Cycles(0));
      }
    }
  }
}

TEST_CASE("strict mode names the buffer that is too small and what it needs") {
  const CsrMatrix a = random_matrix(64, 64, 0.9, 1);
  const MachineSpec strict =
      machine("extensor", {"buffers.strict=true", "buffers.peb.capacity=8 KiB"});
  const ProductOperands operands(a, a, strict.microtile);
  const auto run = [&](const MachineSpec& spec) {
    return lacuna::test::error_of([&] { (void)lacuna::test::simulate(spec, operands, {1, 1, 1}); });
  };
  CHECK(run(strict).find("buffers.peb.capacity is 8 KiB") != std::string::npos);
  CHECK(run(strict).find("buffers.strict") != std::string::npos);
  const MachineSpec llb = machine(
      "extensor",
      {"buffers.strict=true", "buffers.peb.capacity=1 MiB", "buffers.llb.capacity=4 KiB"});
  CHECK(run(llb).find("needs") != std::string::npos);
  CHECK(run(llb).find("buffers.llb.capacity") != std::string::npos);
  CHECK(run(machine("extensor", {"buffers.peb.capacity=8 KiB"})).empty());
}
