// SPDX-License-Identifier: Apache-2.0
// Is the microtile's edge the one that its strategy asks for? By hand, and beside a plain scan.
#include "dataflows/microtile_tiling.hpp"

#include "tests/arch/products.hpp"

using namespace lacuna;
using lacuna::test::machine;
using lacuna::test::random_matrix;

namespace {

/// Half of the PE buffer, `budget` bytes, is for A and B; edges up to 64.
MachineSpec spec_of(TilingStrategy strategy, std::uint64_t budget) {
  MachineSpec spec = machine("extensor-ob");
  spec.microtile = {64, 64, 64, strategy};
  spec.peb.capacity = Bytes(2 * budget);
  spec.peb.operand_share = 0.5;
  return spec;
}

std::uint32_t edge_of(const MicrotileChoice& choice) {
  CHECK(choice.shape.k0 == choice.shape.m0);
  CHECK(choice.shape.n0 == choice.shape.m0);
  return choice.shape.m0;
}

std::uint64_t largest(const CsrMatrix& matrix, std::uint32_t edge) {
  std::uint64_t most = 0;
  const MicrotileGrid grid(matrix, {edge, edge});
  for (const Microtile& tile : grid.all())
    most = std::max<std::uint64_t>(most, tile.padded_payload);
  return most;
}

/// 10 x 10 blocks of 16 x 16: 30 full ones, 70 with a diagonal.
CsrMatrix full_and_thin() {
  std::vector<Entry> entries;
  for (Coordinate row = 0; row < 160; ++row) {
    for (Coordinate col = 0; col < 160; ++col) {
      const bool full = (row / 16 + col / 16) % 10 < 3;
      if (full || row % 16 == col % 16) entries.push_back({row, col, 1});
    }
  }
  return from_entries(160, 160, std::move(entries), false);
}

}  // namespace

TEST_CASE("a fixed microtile is what the machine says") {
  const CsrMatrix a = random_matrix(100, 100, 0.1, 1);
  const MicrotileChoice choice = choose_microtile(a, a, spec_of(TilingStrategy::fixed, 8));
  CHECK(edge_of(choice) == 64);
  CHECK(choice.work_nonzeros == 0);
}

// A dense microtile of edge e moves 16 ceil(e / 2) + e (8 ceil(e / 2) + 8 e) bytes: 12,544 at 32
// and 19,520 at 40.
TEST_CASE("dense-shape takes the largest edge at which two full microtiles fit") {
  const CsrMatrix a = random_matrix(100, 100, 0.1, 1);
  CHECK(edge_of(choose_microtile(a, a, spec_of(TilingStrategy::dense_shape, 2 * 12544))) == 32);
  CHECK(edge_of(choose_microtile(a, a, spec_of(TilingStrategy::dense_shape, 2 * 12544 - 1))) == 24);
  CHECK(edge_of(choose_microtile(a, a, spec_of(TilingStrategy::dense_shape, 2 * 19520))) == 40);
  CHECK(edge_of(choose_microtile(a, a, spec_of(TilingStrategy::dense_shape, 1))) == 8);
}

TEST_CASE("prescient takes the largest edge at which the largest microtiles fit") {
  for (const double density : {0.002, 0.05, 0.5}) {
    const CsrMatrix a = random_matrix(150, 130, density, 1), b = random_matrix(90, 130, density, 2);
    for (const std::uint64_t budget : {300U, 1000U, 5000U, 30000U}) {
      std::uint32_t edge = 64;
      while (edge > 8 && largest(a, edge) + largest(b, edge) > budget) edge -= 8;
      CAPTURE(density, budget);
      CHECK(edge_of(choose_microtile(a, b, spec_of(TilingStrategy::prescient, budget))) == edge);
    }
  }
}

// Density 8800 / 25600; a pair of 12 bytes a nonzero fills 2400 bytes at an edge of 17: 16 is the
// first. There a full microtile moves 128 + 16 (64 + 128) = 3200 bytes, a thin one 128 + 16 (8 + 8)
// = 384. All 100 are drawn. With y = .3 the 70th in order is the quantile, a thin one, and the edge
// 16 sqrt(2400 / 768) = 28; with y = .29 it is the 71st, a full one: 16 sqrt(2400 / 6400) = 9.8.
TEST_CASE("swiftiles scales the first edge by the quantile that a share y overflows") {
  const CsrMatrix a = full_and_thin();
  REQUIRE(a.nnz() == 8800);
  MachineSpec spec = spec_of(TilingStrategy::swiftiles, 2400);
  spec.tiling.tail_samples = 1000;
  spec.tiling.overbooked_share = 0.3;
  const MicrotileChoice thin = choose_microtile(a, a, spec);
  CHECK(edge_of(thin) == 24);
  CHECK(thin.work_nonzeros == 2 * 8800);
  spec.tiling.overbooked_share = 0.29;
  CHECK(edge_of(choose_microtile(a, a, spec)) == 8);
}

TEST_CASE("swiftiles touches k / y microtiles of each operand and no more") {
  const CsrMatrix a = full_and_thin();
  MachineSpec spec = spec_of(TilingStrategy::swiftiles, 2400);
  spec.tiling.overbooked_share = 0.5;
  spec.tiling.tail_samples = 2;  // 4 of each, of 16 or 256 nonzeros
  const std::uint64_t work = choose_microtile(a, a, spec).work_nonzeros;
  CHECK(work >= 8 * 16);
  CHECK(work <= 8 * 256);
}
