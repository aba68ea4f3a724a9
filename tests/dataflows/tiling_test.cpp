// SPDX-License-Identifier: Apache-2.0
// Is each strategy's tile the one its rule asks for? Brute force beside the exact scan, matrices
// whose statistics are known beside the guess.
#include "dataflows/tiling.hpp"

#include <cmath>

#include "arch/program/stored_bytes.hpp"
#include "base/statistics.hpp"
#include "tests/arch/products.hpp"

using namespace lacuna;
using lacuna::test::machine;
using lacuna::test::random_matrix;

namespace {

/// 8 B per microtile, 8 per fiber, 12 per nonzero, 8 per list, as extensor-ob stores B.
TiledOperand operand_of(const MicrotileGrid& grid, std::uint64_t share,
                        Growth growth = Growth::k_first) {
  return {&grid, machine("extensor-ob").formats.b, Bytes(1), share, growth, 1, 0};
}

/// Bytes of every nonempty tile, by looking at each microtile alone.
std::vector<std::uint64_t> slow_occupancies(const TiledOperand& operand, TileShape shape) {
  const MicrotileGrid& grid = *operand.grid;
  std::vector<std::uint64_t> out;
  for (std::uint64_t n = 0; n < grid.outer_blocks(); n += shape.outer) {
    for (std::uint64_t k = 0; k < grid.inner_blocks(); k += shape.inner) {
      std::uint64_t bytes = 0;
      for (std::uint64_t n1 = n; n1 < std::min<std::uint64_t>(n + shape.outer, grid.outer_blocks());
           ++n1) {
        std::size_t length = 0;
        for (const Microtile& tile : grid.list(static_cast<Coordinate>(n1))) {
          if (tile.inner_block < k || tile.inner_block >= k + shape.inner) continue;
          bytes += stored_bytes(tile, operand.format, operand.burst);
          ++length;
        }
        if (length > 0) bytes += list_bytes(length, operand.format);
      }
      if (bytes > 0) out.push_back(bytes);
    }
  }
  return out;
}

std::uint64_t area(TileShape shape) {
  return shape.outer * shape.inner;
}

}  // namespace

TEST_CASE("tile occupancies are those of a plain walk over the microtiles") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const CsrMatrix matrix = random_matrix(90, 70, 0.01 * static_cast<double>(seed), seed);
    const MicrotileGrid grid(matrix, {8, 8});
    for (const TileShape shape : {TileShape{1, 1}, TileShape{3, 2}, TileShape{20, 1},
                                  TileShape{12, 9}, TileShape{100, 100}}) {
      const TiledOperand operand = operand_of(grid, 1000);
      auto fast = tile_occupancies(operand, shape), slow = slow_occupancies(operand, shape);
      std::sort(fast.begin(), fast.end());
      std::sort(slow.begin(), slow.end());
      CHECK(fast == slow);
    }
  }
}

TEST_CASE("the growth sequences reach every length of one rank, then of the other") {
  const CsrMatrix matrix = random_matrix(50, 30, 0.1, 1);
  const MicrotileGrid grid(matrix, {5, 5});  // 10 x 6 microtiles
  const TiledOperand k_first = operand_of(grid, 1, Growth::k_first);
  CHECK(shape_of_area(k_first, 0.3) == TileShape{1, 1});
  CHECK(shape_of_area(k_first, 4) == TileShape{1, 4});
  CHECK(shape_of_area(k_first, 6) == TileShape{1, 6});
  CHECK(shape_of_area(k_first, 12.5) == TileShape{2, 6});
  CHECK(shape_of_area(k_first, 1e9) == TileShape{10, 6});
  const TiledOperand n_first = operand_of(grid, 1, Growth::n_first);
  CHECK(shape_of_area(n_first, 4) == TileShape{4, 1});
  CHECK(shape_of_area(n_first, 20) == TileShape{10, 2});
  const TiledOperand square = operand_of(grid, 1, Growth::square);
  CHECK(shape_of_area(square, 9) == TileShape{3, 3});
  CHECK(shape_of_area(square, 36) == TileShape{6, 6});
  CHECK(shape_of_area(square, 48) == TileShape{8, 6});
  CHECK(shape_of_area(square, 1e9) == TileShape{10, 6});
  TiledOperand fixed = operand_of(grid, 1);
  fixed.fixed_inner = 2;
  CHECK(shape_of_area(fixed, 7) == TileShape{3, 2});
}

TEST_CASE("prescient: everything fits, and no larger tile of the sequence does") {
  for (const Growth growth : {Growth::k_first, Growth::n_first, Growth::square}) {
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
      const CsrMatrix matrix = random_matrix(120, 90, 0.02 * static_cast<double>(seed), seed);
      const MicrotileGrid grid(matrix, {10, 10});
      const TiledOperand operand = operand_of(grid, 300 * seed * seed, growth);
      const TileChoice choice = choose_prescient(operand);
      CAPTURE(seed, choice.shape.outer, choice.shape.inner);
      const auto largest = [&](TileShape shape) {
        const auto bytes = slow_occupancies(operand, shape);
        return *std::max_element(bytes.begin(), bytes.end());
      };
      // A single microtile that does not fit leaves nothing smaller to choose.
      if (choice.shape == TileShape{1, 1}) continue;
      CHECK(largest(choice.shape) <= operand.share_bytes);
      for (std::uint64_t a = area(choice.shape) + 1; a <= 12 * 9; ++a) {
        const TileShape shape = shape_of_area(operand, static_cast<double>(a));
        if (area(shape) > area(choice.shape)) CHECK(largest(shape) > operand.share_bytes);
      }
      CHECK(choice.work_nonzeros > 0);
      CHECK(choice.candidates >= 1);
    }
  }
}

TEST_CASE("dense-shape: the largest tile that fits if every place held a nonzero") {
  const CsrMatrix sparse = random_matrix(100, 100, 0.01, 1), full = random_matrix(100, 100, 1, 1);
  const MicrotileGrid grid(sparse, {10, 10}), full_grid(full, {10, 10});
  for (const Growth growth : {Growth::k_first, Growth::n_first, Growth::square}) {
    for (const std::uint64_t share : {1288U, 1300U, 5000U, 13000U, 50000U, 140000U}) {
      const TileShape shape = choose_dense_shape(operand_of(grid, share, growth)).shape;
      // On a matrix that is dense, dense-shape and the exact scan agree.
      CHECK(shape == choose_dense_shape(operand_of(full_grid, share, growth)).shape);
      if (growth != Growth::square) {
        CHECK(shape == choose_prescient(operand_of(full_grid, share, growth)).shape);
      }
    }
  }
  CHECK(choose_dense_shape(operand_of(grid, 1)).shape == TileShape{1, 1});
}

TEST_CASE("swiftiles on a uniform matrix: the tile holds the buffer, b / density points") {
  // Every microtile is the same, so every tile of one shape holds the same bytes: Q = occupancy.
  const CsrMatrix matrix = random_matrix(400, 400, 1, 1);
  const MicrotileGrid grid(matrix, {10, 10});  // 40 x 40, each 8 + 80 + 1200 bytes, lists beside
  const TiledOperand operand = operand_of(grid, 40 * 1288 + 8);  // one column of microtiles
  const TileChoice choice = choose_swiftiles(operand, 0.1, 10, 1, "B");
  CHECK(choice.initial_area == lacuna::test::Approx(40.0).epsilon(1e-3));
  CHECK(choice.shape == TileShape{1, 40});
  CHECK(choice.quantile_bytes == 40 * 1288 + 8);
  CHECK(choice.samples == 40);  // 100 were wanted, there are no more tiles
  CHECK(choice.work_nonzeros == matrix.nnz());
}

TEST_CASE("swiftiles scales the sampled tile by b / Q, Q the (1 - y) quantile") {
  // Of 200 columns of microtiles one in five is ten times fuller than the others.
  std::vector<Entry> entries;
  for (Coordinate n = 0; n < 2000; ++n) {
    const bool full = (n / 10) % 5 == 0;
    for (Coordinate k = 0; k < 100; ++k) {
      if (full || k % 10 == 0) entries.push_back({n, k, 1});
    }
  }
  const CsrMatrix matrix = from_entries(2000, 100, entries, false);
  const MicrotileGrid grid(matrix, {10, 10});
  const std::uint64_t full_tile = 8 + 10 * (8 + 80 + 1200), other = 8 + 10 * (8 + 80 + 120);
  std::uint64_t total = 0;
  for (const std::uint64_t bytes : tile_occupancies(operand_of(grid, 1), {1, 10})) total += bytes;
  CHECK(total == 40 * full_tile + 160 * other);
  // A share of one mean column: T0 is one column of microtiles.
  const std::uint64_t share = total / 200 + 1;
  const TileChoice tail = choose_swiftiles(operand_of(grid, share), 0.1, 1000, 1, "B");
  CHECK(tail.quantile_bytes == full_tile);  // 20 % are full, so nine in ten reach them
  CHECK(tail.samples == 200);
  const double scale = static_cast<double>(share) / static_cast<double>(full_tile);
  CHECK(tail.shape == shape_of_area(operand_of(grid, share), 10 * scale));
  const TileChoice head = choose_swiftiles(operand_of(grid, share), 0.5, 1000, 1, "B");
  CHECK(head.quantile_bytes == other);
  CHECK(area(head.shape) > area(tail.shape));
}

TEST_CASE("swiftiles draws k / y tiles without replacement and touches only these") {
  const CsrMatrix matrix = random_matrix(1000, 1000, 0.02, 3);
  const MicrotileGrid grid(matrix, {10, 10});
  const TiledOperand operand = operand_of(grid, 400);
  const TileChoice choice = choose_swiftiles(operand, 0.1, 10, 1, "B");
  CHECK(choice.samples == 100);
  CHECK(choice.work_nonzeros < matrix.nnz() / 4);
  CHECK(choose_swiftiles(operand, 0.2, 10, 1, "B").samples == 50);
  CHECK(choose_swiftiles(operand, 0.1, 3, 1, "B").samples == 30);
  // A function of the seed and the stream's name.
  const auto again = choose_swiftiles(operand, 0.1, 10, 1, "B");
  CHECK(again.quantile_bytes == choice.quantile_bytes);
  CHECK(again.work_nonzeros == choice.work_nonzeros);
  CHECK(choose_swiftiles(operand, 0.1, 10, 2, "B").work_nonzeros != choice.work_nonzeros);
}

TEST_CASE("swiftiles clamps: at least one microtile, at most the tensor") {
  const CsrMatrix matrix = random_matrix(100, 100, 0.3, 4);
  const MicrotileGrid grid(matrix, {10, 10});
  const TileChoice tiny = choose_swiftiles(operand_of(grid, 1), 0.1, 10, 1, "B");
  CHECK(tiny.shape == TileShape{1, 1});
  CHECK_FALSE(tiny.clamped);
  const TileChoice huge = choose_swiftiles(operand_of(grid, 1 << 30), 0.1, 10, 1, "B");
  CHECK(huge.shape == TileShape{10, 10});
  CHECK(huge.clamped);
  const CsrMatrix empty = random_matrix(100, 100, 0, 4);
  const MicrotileGrid empty_grid(empty, {10, 10});
  CHECK(choose_swiftiles(operand_of(empty_grid, 1000), 0.1, 10, 1, "B").shape == TileShape{10, 10});
}

TEST_CASE("swiftiles overbooks about the requested share of tiles where occupancy is linear") {
  // Independent places: occupancy grows linearly and the quantile moves with it.
  double error = 0;
  int cases = 0;
  const CsrMatrix matrix = random_matrix(2000, 2000, 0.004, 5);
  const MicrotileGrid grid(matrix, {10, 10});
  for (const double y : {0.05, 0.1, 0.2}) {
    for (const std::uint64_t share : {1000U, 2000U, 4000U}) {
      const TiledOperand operand = operand_of(grid, share, Growth::k_first);
      const TileChoice choice = choose_swiftiles(operand, y, 20, 1, "B");
      const auto achieved = summarize(tile_occupancies(operand, choice.shape), share);
      error += std::abs(achieved.overbooked_share - y);
      ++cases;
    }
  }
  CAPTURE(error / cases);
  CHECK(error / cases < 0.08);
}

TEST_CASE("statistics of a tiling: share of tiles over the buffer, mean use, quantiles") {
  const TilingStatistics s = summarize({50, 100, 150, 200}, 100);
  CHECK(s.tiles == 4);
  CHECK(s.overbooked_share == 0.5);
  CHECK(s.utilization == lacuna::test::Approx((0.5 + 1 + 1 + 1) / 4));
  CHECK(s.largest == 200);
  CHECK(s.quantiles.back() == std::pair<double, std::uint64_t>{1.0, 200});
  CHECK(summarize({}, 100).tiles == 0);
}

TEST_CASE("a tile larger than the tensor is clamped, and the run says so") {
  const CsrMatrix a = random_matrix(300, 200, 0.05, 1);
  const MachineSpec spec = machine("extensor");
  const ProductOperands operands(a, a, spec.microtile);
  const ProductTiling tiling = tile_product(operands, spec, "unnamed");
  CHECK(tiling.tiles.m1 == 3);
  CHECK(tiling.tiles.k1 == 2);
  CHECK(tiling.tiles.n1 == 3);
  CHECK(tiling.b.clamped);
  REQUIRE(tiling.notes.size() == 3);
  CHECK(tiling.notes[0] == "tile m1 = 32 microtiles is larger than the tensor, clamped to 3");
}

TEST_CASE("every strategy gives a tile that runs, also for tensors without an extent") {
  for (const Coordinate rows : {0U, 1U, 200U}) {
    for (const Coordinate inner : {0U, 1U, 200U}) {
      const CsrMatrix a = random_matrix(rows, inner, 0.1, 1);
      for (const char* name : {"extensor", "extensor-n", "extensor-p", "extensor-ob"}) {
        for (const char* growth : {"k-first", "n-first", "square"}) {
          const MachineSpec spec = machine(name, {fmt::format("tiling.growth={}", growth)});
          const ProductOperands operands(a, a, spec.microtile);
          const ProductTiling tiling = tile_product(operands, spec, "unnamed");
          CAPTURE(rows, inner, name, growth);
          CHECK(tiling.tiles.m1 >= 1);
          CHECK(tiling.tiles.k1 >= 1);
          CHECK(tiling.tiles.n1 >= 1);
          const RunOutcome outcome = lacuna::test::simulate(spec, operands, tiling.tiles,
                                                            lacuna::test::at(Fidelity::tile, true));
          CHECK(outcome.product->rows == rows);
        }
      }
    }
  }
}
