// SPDX-License-Identifier: Apache-2.0
#include "sparse_formats/pattern_occupancy.hpp"

#include <map>

#include "base/random.hpp"
#include "sparse_formats/pattern_check.hpp"
#include "tests/catch.hpp"

using namespace lacuna;

namespace {

std::uint64_t naive_count(const BitMatrix& bits, std::uint64_t r0, std::uint64_t r1,
                          std::uint64_t c0, std::uint64_t c1) {
  std::uint64_t sum = 0;
  for (std::uint64_t r = r0; r < r1; ++r) {
    for (std::uint64_t c = c0; c < c1; ++c) sum += bits.get(r, c) ? 1U : 0U;
  }
  return sum;
}

/// Non-empty children of every full group of every rank are exactly G.
bool exact_groups(const Pattern& pattern, const BitMatrix& bits) {
  std::uint64_t child = 1;
  for (auto rule = pattern.ranks.rbegin(); rule != pattern.ranks.rend(); ++rule) {
    const std::uint64_t size = child * rule->h;
    for (std::uint64_t r = 0; r < bits.rows(); ++r) {
      for (std::uint64_t at = 0; at + size <= bits.cols(); at += size) {
        if (naive_count(bits, r, r + 1, at, at + size) == 0) continue;  // dropped by a rank above
        std::uint64_t found = 0;
        for (std::uint64_t k = at; k < at + size; k += child) {
          found += naive_count(bits, r, r + 1, k, k + child) > 0 ? 1U : 0U;
        }
        if (found != rule->g) return false;
      }
    }
    child = size;
  }
  return true;
}

}  // namespace

TEST_CASE("bit matrices count, cut and turn like a plain array") {
  RandomStream random(7, "bits");
  for (const auto& [rows, cols] : {std::pair{1ULL, 1ULL},
                                   {3ULL, 64ULL},
                                   {65ULL, 130ULL},
                                   {70ULL, 63ULL},
                                   {0ULL, 5ULL},
                                   {5ULL, 0ULL}}) {
    const auto bits = make_occupancy(Pattern::uniform({1, 3}), rows, cols, 11);
    CHECK(bits.count() == naive_count(bits, 0, rows, 0, cols));
    CHECK(bits.transposed().transposed() == bits);
    CHECK(bits.transposed().row_counts() == bits.col_counts());
    CHECK(BitMatrix::from_csr(bits.to_csr()) == bits);
    bits.to_csr().validate();
    if (rows == 0 || cols == 0) continue;
    for (int i = 0; i < 50; ++i) {
      const std::uint64_t r0 = random.below(rows);
      const std::uint64_t r1 = r0 + random.below(rows - r0 + 1);
      const std::uint64_t c0 = random.below(cols);
      const std::uint64_t c1 = c0 + random.below(cols - c0 + 1);
      CHECK(bits.count(r0, r1, c0, c1) == naive_count(bits, r0, r1, c0, c1));
      const auto part = bits.window(r0, r1, c0, c1);
      CHECK(part.count() == naive_count(bits, r0, r1, c0, c1));
      bool same = true;
      for (std::uint64_t r = r0; r < r1; ++r) {
        for (std::uint64_t c = c0; c < c1; ++c) {
          same = same && part.get(r - r0, c - c0) == bits.get(r, c) &&
                 bits.transposed().get(c, r) == bits.get(r, c);
        }
      }
      CHECK(same);
    }
    const auto tiles = bits.tile_counts(2, 37);
    const std::uint64_t grid = (cols + 36) / 37;
    CHECK(tiles.size() == (rows + 1) / 2 * grid);
    CHECK(tiles.back() == naive_count(bits, (rows - 1) / 2 * 2, rows, (grid - 1) * 37, cols));
  }
  CHECK(BitMatrix::full(3, 70).count() == 210);
  CHECK_THROWS_AS(BitMatrix(1ULL << 40, 1ULL << 40), InputError);
}

TEST_CASE("generated occupancy fills every group of every rank exactly") {
  for (const char* text :
       {"2:4", "1:1", "4:4", "3:7", "C1(4:8)->C0(2:4)", "C1(3:5)->C0(2:3)", "13:40", "70:200",
        "C2(1:2)->C1(2:3)->C0(3:4)", "C1(2:4)->C0(60:128)", "C1(2:80)->C0(1:2)"}) {
    INFO(text);
    const Pattern pattern = parse_pattern(text);
    const std::uint64_t cols = 3 * pattern.group_size();
    const auto bits = make_occupancy(pattern, 9, cols, 3);
    CHECK(exact_groups(pattern, bits));
    CHECK_FALSE(first_violation(pattern, bits));
    const Ratio density = pattern.density();
    CHECK(bits.count() * density.den == 9 * cols * density.num);
    const auto turned = make_occupancy(pattern, cols, 9, 3, {Axis::along_column, "occupancy"});
    CHECK(turned == bits.transposed());
    CHECK_FALSE(first_violation(pattern, turned, Axis::along_column));
  }
}

TEST_CASE("an incomplete group at the end of a row holds what padding would allow") {
  const auto bits = make_occupancy(parse_pattern("2:4"), 4, 11, 1);
  for (std::uint64_t r = 0; r < 4; ++r) CHECK(bits.count(r, 8, 11) == 2);
  // 40 = one group of 32 and two blocks of 4, both kept.
  const auto two = make_occupancy(parse_pattern("C1(4:8)->C0(2:4)"), 4, 40, 1);
  for (std::uint64_t r = 0; r < 4; ++r) {
    CHECK(two.count(r, 32, 36) == 2);
    CHECK(two.count(r, 36, 40) == 2);
  }
  CHECK_FALSE(first_violation(parse_pattern("C1(4:8)->C0(2:4)"), two));
}

TEST_CASE("shares are met exactly for uniform, block and channel") {
  for (const char* share : {"0", "1/1000", "0.01", "0.3", "1/3", "0.5", "0.999", "1"}) {
    const Pattern uniform = parse_pattern(std::string("uniform:") + share);
    const auto bits = make_occupancy(uniform, 77, 131, 5);
    CHECK(bits.count() == share_of(uniform.share, 77 * 131));
    CHECK_FALSE(first_violation(uniform, bits));
    const Pattern block = parse_pattern(std::string("block:8x70:") + share);
    const auto blocks = make_occupancy(block, 77, 141, 5);
    std::uint64_t filled = 0;
    for (std::uint64_t r = 0; r < 77; r += 8) {
      for (std::uint64_t c = 0; c < 141; c += 70) {
        const std::uint64_t r1 = std::min<std::uint64_t>(77, r + 8);
        const std::uint64_t c1 = std::min<std::uint64_t>(141, c + 70);
        const std::uint64_t n = blocks.count(r, r1, c, c1);
        CHECK((n == 0 || n == (r1 - r) * (c1 - c)));
        filled += n > 0 ? 1U : 0U;
      }
    }
    CHECK(filled == share_of(block.share, 10 * 3));
    const Pattern channel = parse_pattern(std::string("channel:") + share);
    const auto channels = make_occupancy(channel, 20, 200, 5);
    CHECK(channels.count() == 20 * share_of(channel.share, 200));
    CHECK(channels.count(0, 0, 200) * 20 == channels.count());
    CHECK(make_occupancy(channel, 200, 20, 5, {Axis::along_column, "occupancy"}) ==
          channels.transposed());
  }
}

TEST_CASE("every subset of a group is equally likely") {
  const auto chi_squared = [](const std::map<std::uint64_t, int>& seen, int kinds, int draws) {
    const double expected = static_cast<double>(draws) / kinds;
    double sum = expected * (kinds - static_cast<int>(seen.size()));
    for (const auto& [bits, n] : seen) sum += (n - expected) * (n - expected) / expected;
    return sum;
  };
  std::map<std::uint64_t, int> seen;
  const auto nm = make_occupancy(parse_pattern("2:4"), 1000, 240, 9);
  for (std::uint64_t r = 0; r < 1000; ++r) {
    for (std::uint64_t c = 0; c < 240; c += 4) ++seen[nm.bits(r, c, 4)];
  }
  CHECK(seen.size() == 6);
  CHECK(chi_squared(seen, 6, 60000) < 25.7);  // 5 degrees of freedom, p = 1e-4
  seen.clear();
  // 2 of 6 positions through the exact-count generator, many small matrices.
  for (std::uint64_t seed = 0; seed < 30000; ++seed) {
    ++seen[make_occupancy(Pattern::uniform({1, 3}), 1, 6, seed).bits(0, 0, 6)];
  }
  CHECK(seen.size() == 15);
  CHECK(chi_squared(seen, 15, 30000) < 44.3);  // 14 degrees of freedom, p = 5e-5
}

TEST_CASE("occupancy depends on seed and stream alone") {
  const Pattern half = Pattern::uniform({1, 2});
  const auto a = make_occupancy(half, 64, 64, 1, {Axis::along_row, "A"});
  CHECK(a == make_occupancy(half, 64, 64, 1, {Axis::along_row, "A"}));
  CHECK(a != make_occupancy(half, 64, 64, 2, {Axis::along_row, "A"}));
  CHECK(a != make_occupancy(half, 64, 64, 1, {Axis::along_row, "B"}));
}

TEST_CASE("the checker names the first group that breaks a rule") {
  BitMatrix bits(3, 16);
  for (const std::uint64_t c : {4U, 5U, 7U}) bits.set(1, c);
  bits.set(2, 0);
  const auto first = first_violation(parse_pattern("2:4"), bits);
  REQUIRE(first);
  CHECK(first->fiber == 1);
  CHECK(first->group == 1);
  CHECK(first->position == 4);
  CHECK(first->rank == 0);
  CHECK(first->found == 3);
  CHECK(first->allowed == 2);
  CHECK(first->text == "row 1, group 1 of rank 0 (k = 4..7): 3 non-zeros, at most 2 of 4 allowed");
  CHECK_FALSE(first_violation(parse_pattern("3:4"), bits));
  CHECK_FALSE(first_violation(parse_pattern("dense"), bits));

  BitMatrix outer(2, 32);
  for (const std::uint64_t c : {0U, 4U, 8U, 16U, 20U}) outer.set(0, c);
  const Pattern hss = parse_pattern("C1(2:4)->C0(2:4)");
  const auto second = first_violation(hss, outer);
  REQUIRE(second);
  CHECK(second->rank == 1);
  CHECK(second->group == 0);
  CHECK(second->text ==
        "row 0, group 0 of rank 1 (k = 0..15): 3 non-empty blocks, at most 2 of 4 allowed");
  outer.set(0, 8, false);
  CHECK_FALSE(first_violation(hss, outer));
  const auto column = first_violation(parse_pattern("2:4"), bits.transposed(), Axis::along_column);
  REQUIRE(column);
  CHECK(column->text.starts_with("column 1, group 1"));
}

TEST_CASE("a tail is checked as if padded unless it is exempt") {
  BitMatrix bits(1, 11);
  for (std::uint64_t c = 8; c < 11; ++c) bits.set(0, c);
  CHECK(first_violation(parse_pattern("2:4"), bits)->position == 8);
  CHECK_FALSE(first_violation(parse_pattern("2:4"), bits, Axis::along_row, Tail::exempt));
}

TEST_CASE("excess blocks, channels and nonzeros are located") {
  auto bits = BitMatrix::full(4, 8);
  const auto block = first_violation(parse_pattern("block:2x4:0.5"), bits);
  REQUIRE(block);
  CHECK(block->fiber == 1);
  CHECK(block->group == 0);
  const auto channel = first_violation(parse_pattern("channel:0.5"), bits);
  REQUIRE(channel);
  CHECK(channel->position == 4);
  const auto uniform = first_violation(parse_pattern("uniform:0.5"), bits);
  REQUIRE(uniform);
  CHECK(uniform->fiber == 2);
  CHECK(uniform->position == 0);
}

TEST_CASE("the degree of an operand is the sparsest member that every group satisfies") {
  const auto menu = parse_pattern_family("C1(4:{4..8})->C0(2:{2..4})");
  const auto fit = [&](const char* pattern) {
    return fitting_degree(menu, make_occupancy(parse_pattern(pattern), 32, 3360, 4));
  };
  CHECK(fit("C1(4:8)->C0(2:4)").text() == "hss:C1(4:8)->C0(2:4)");
  CHECK(fit("C1(4:6)->C0(2:3)").text() == "hss:C1(4:6)->C0(2:3)");
  CHECK(fit("2:4").density() == Ratio{1, 2});
  CHECK(fit("dense").density() == Ratio{1, 1});
  CHECK(fit("uniform:0.5").density() == Ratio{1, 1});
  CHECK(fit("uniform:0").text() == "hss:C1(4:8)->C0(2:4)");
  // One nonzero too many in one group of one row, and the whole operand falls to the next degree.
  auto bits = make_occupancy(parse_pattern("2:4"), 32, 3360, 4);
  for (std::uint64_t c = 0; c < 4; ++c) bits.set(17, c);
  CHECK(fitting_degree(menu, bits).density() == Ratio{1, 1});
  CHECK(fitting_degree(parse_pattern_family("2:{4,6,8}"), bits).kind == PatternKind::dense);
  CHECK(fitting_degree(menu,
                       make_occupancy(parse_pattern("2:4"), 3360, 8, 4, {Axis::along_column, "B"}),
                       Axis::along_column)
            .density() == Ratio{1, 2});
}
