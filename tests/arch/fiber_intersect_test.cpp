// SPDX-License-Identifier: Apache-2.0
// Do the bit-parallel counts equal a unit that steps through both fibers coordinate by coordinate?
#include "arch/intersect/fiber_intersect.hpp"

#include "arch/intersect/list_intersect.hpp"
#include "tests/arch/products.hpp"

using namespace lacuna;
using lacuna::test::random_matrix;

namespace {

using Fiber = std::vector<Coordinate>;

/// The fibertree rule, step by step: a match costs one try; an advance costs one try when the step
/// before was not an advance of the same side. The unit stops when either fiber ends.
std::uint64_t stepped_tries(IntersectKind kind, const Fiber& a, const Fiber& b) {
  enum class Step { none, match, on_a, on_b } last = Step::none;
  std::uint64_t tries = 0;
  std::size_t i = 0, j = 0;
  while (i < a.size() && j < b.size()) {
    const Step now = a[i] == b[j] ? Step::match : a[i] < b[j] ? Step::on_a : Step::on_b;
    const bool goes_on = kind == IntersectKind::skip_ahead && now != Step::match && now == last;
    if (!goes_on) ++tries;
    if (now != Step::on_b) ++i;
    if (now != Step::on_a) ++j;
    last = now;
  }
  return tries;
}

Mask128 mask_of(const Fiber& fiber) {
  Mask128 mask;
  for (const Coordinate at : fiber) mask.insert(at);
  return mask;
}

Fiber random_fiber(RandomStream& random, Coordinate length, double density) {
  Fiber fiber;
  for (Coordinate at = 0; at < length; ++at) {
    if (random.uniform() < density) fiber.push_back(at);
  }
  if (fiber.empty()) fiber.push_back(static_cast<Coordinate>(random.below(length)));
  return fiber;
}

void same_count(const Fiber& a, const Fiber& b) {
  for (const auto kind : {IntersectKind::skip_ahead, IntersectKind::two_finger}) {
    const std::uint64_t stepped = stepped_tries(kind, a, b);
    const std::uint64_t counted = intersect_tries(kind, mask_of(a), mask_of(b));
    if (counted != stepped) {
      CAPTURE(a, b, kind == IntersectKind::skip_ahead);
      REQUIRE(counted == stepped);
    }
  }
}

std::vector<Fiber> fibers_of(const CsrMatrix& matrix, Coordinate row_begin, Coordinate row_end,
                             Coordinate begin, Coordinate end) {
  std::vector<Fiber> fibers;
  for (Coordinate row = row_begin; row < std::min(row_end, matrix.rows); ++row) {
    Fiber fiber;
    for (const Coordinate col : matrix.cols_of(row)) {
      if (col >= begin && col < end) fiber.push_back(col - begin);
    }
    if (!fiber.empty()) fibers.push_back(fiber);
  }
  return fibers;
}

}  // namespace

TEST_CASE("worked examples of skip-ahead and two-finger tries") {
  struct Example {
    Fiber a, b;
    std::uint32_t skip_ahead, two_finger;
  };
  const std::vector<Example> examples{
      {{3}, {3}, 1, 1},                       // one match
      {{0, 1, 2, 5}, {5}, 2, 4},              // a's run of three, the match
      {{0, 1, 2}, {5, 6}, 1, 3},              // a ends inside its run
      {{5, 6}, {0, 1, 2}, 1, 3},              // b ends inside its run
      {{0, 2, 4}, {1, 3, 5}, 5, 5},           // sides alternate; a ends after 4
      {{0, 1, 2, 3}, {0, 1, 2, 3}, 4, 4},     // every step a match
      {{0, 127}, {127}, 2, 2},                // both ends of the range
      {{0, 1, 63, 64}, {64, 100}, 2, 4},      // across the word boundary
      {{1, 3, 5}, {0, 1, 2, 3, 4, 5}, 6, 6},  // subset: run, match, run, match, run, match
      {{10}, {0, 1, 2, 20, 30}, 2, 4},        // b runs to 20, then a's only coordinate
  };
  for (const Example& e : examples) {
    CAPTURE(e.a, e.b);
    CHECK(intersect_tries(IntersectKind::skip_ahead, mask_of(e.a), mask_of(e.b)) == e.skip_ahead);
    CHECK(intersect_tries(IntersectKind::two_finger, mask_of(e.a), mask_of(e.b)) == e.two_finger);
    same_count(e.a, e.b);
  }
}

TEST_CASE("every pair of fibers over six coordinates is counted as it is stepped") {
  const auto fiber_of = [](unsigned bits, Coordinate shift) {
    Fiber fiber;
    for (Coordinate at = 0; at < 6; ++at) {
      if ((bits >> at & 1U) != 0) fiber.push_back(at + shift);
    }
    return fiber;
  };
  for (const Coordinate shift : {0U, 61U, 122U}) {  // bottom, word boundary, top
    for (unsigned a = 1; a < 64; ++a) {
      for (unsigned b = 1; b < 64; ++b) same_count(fiber_of(a, shift), fiber_of(b, shift));
    }
  }
}

TEST_CASE("random fibers of every length and density are counted as they are stepped") {
  RandomStream random(1, "fibers");
  for (Coordinate length = 1; length <= kMaxFiber; ++length) {
    for (const double density : {0.01, 0.05, 0.2, 0.5, 0.8, 0.97, 1.0}) {
      for (const double other : {0.02, 0.3, 0.9}) {
        const Fiber a = random_fiber(random, length, density);
        const Fiber b = random_fiber(random, length, other);
        same_count(a, b);
        same_count(b, a);
        same_count(a, a);
      }
    }
  }
}

TEST_CASE("disjoint, nested and touching fibers are counted as they are stepped") {
  RandomStream random(2, "fibers");
  for (int i = 0; i < 2000; ++i) {
    const Fiber a = random_fiber(random, 128, random.uniform());
    Fiber without, within;
    for (Coordinate at = 0; at < 128; ++at) {
      const bool member = std::binary_search(a.begin(), a.end(), at);
      if (!member && random.below(2) == 0) without.push_back(at);
      if (member && random.below(3) == 0) within.push_back(at);
    }
    if (!without.empty()) same_count(a, without);
    if (!within.empty()) same_count(a, within);
    const auto cut = static_cast<Coordinate>(1 + random.below(127));
    Fiber low, high;
    for (Coordinate at = 0; at < 128; ++at) (at < cut ? low : high).push_back(at);
    same_count(low, high);
    same_count(high, low);
  }
}

TEST_CASE("pairs of microtiles: the fast, the portable and the stepped count are equal") {
  struct Shape {
    Coordinate m, n, k;
  };
  for (const Shape shape : {Shape{1, 1, 1}, Shape{5, 3, 2}, Shape{16, 16, 64}, Shape{7, 200, 65},
                            Shape{128, 128, 128}, Shape{40, 1, 127}}) {
    for (const double density : {0.002, 0.02, 0.1, 0.5, 1.0}) {
      for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        const CsrMatrix a = random_matrix(shape.m, shape.k, density, seed);
        const CsrMatrix b =
            random_matrix(shape.n, shape.k, seed % 2 == 0 ? density : 0.05, seed + 100);
        if (a.nnz() == 0 || b.nnz() == 0) continue;
        const MicrotileGrid a_grid(a, {shape.m, shape.k}), b_grid(b, {shape.n, shape.k});
        REQUIRE(a_grid.all().size() == 1);
        for (const auto kind : {IntersectKind::skip_ahead, IntersectKind::two_finger}) {
          std::uint64_t stepped = 0;
          for (const Fiber& x : fibers_of(a, 0, shape.m, 0, shape.k)) {
            for (const Fiber& y : fibers_of(b, 0, shape.n, 0, shape.k)) {
              stepped += stepped_tries(kind, x, y);
            }
          }
          CAPTURE(shape.m, shape.n, shape.k, density, seed);
          const PairCounter fast(kind, a_grid, b_grid), portable(kind, a_grid, b_grid, true);
          CHECK(portable.isa() == std::string("portable"));
          CHECK(fast.tries(a_grid.all()[0], b_grid.all()[0]) == stepped);
          CHECK(portable.tries(a_grid.all()[0], b_grid.all()[0]) == stepped);
        }
      }
    }
  }
}

TEST_CASE("equal fibers that a microtile stores once are counted each time") {
  std::vector<Entry> entries;
  for (Coordinate row = 0; row < 100; ++row) {
    for (const Coordinate col : {3U, 9U, 70U}) entries.push_back({row, col, 1});
  }
  const CsrMatrix a = from_entries(100, 128, entries, false);
  const CsrMatrix b = random_matrix(50, 128, 0.2, 5);
  const MicrotileGrid a_grid(a, {128, 128}), b_grid(b, {128, 128});
  REQUIRE(a_grid.all()[0].groups == 1);
  for (const auto kind : {IntersectKind::skip_ahead, IntersectKind::two_finger}) {
    std::uint64_t once = 0;
    for (const Fiber& y : fibers_of(b, 0, 50, 0, 128)) once += stepped_tries(kind, {3, 9, 70}, y);
    CHECK(PairCounter(kind, a_grid, b_grid).tries(a_grid.all()[0], b_grid.all()[0]) == 100 * once);
  }
}

TEST_CASE("microtile lists: matches and tries are those of the stepped intersection") {
  RandomStream random(3, "lists");
  for (int i = 0; i < 300; ++i) {
    const auto length = static_cast<Coordinate>(1 + random.below(300));
    const CsrMatrix a = random_matrix(1, length, random.uniform(), random());
    const CsrMatrix b = random_matrix(1, length, random.uniform(), random());
    const MicrotileGrid a_grid(a, {1, 1}), b_grid(b, {1, 1});
    Fiber x(a.columns.begin(), a.columns.end()), y(b.columns.begin(), b.columns.end());
    Fiber expected;
    std::set_intersection(x.begin(), x.end(), y.begin(), y.end(), std::back_inserter(expected));
    for (const auto kind : {IntersectKind::skip_ahead, IntersectKind::two_finger}) {
      ListIntersect lists(kind, a_grid.list(0), b_grid.list(0));
      Fiber matches;
      while (lists.next()) {
        REQUIRE(lists.a().inner_block == lists.b().inner_block);
        REQUIRE(x[lists.a_index()] == lists.a().inner_block);
        REQUIRE(y[lists.b_index()] == lists.b().inner_block);
        matches.push_back(lists.a().inner_block);
      }
      REQUIRE(matches == expected);
      REQUIRE(lists.tries() == stepped_tries(kind, x, y));
      REQUIRE_FALSE(lists.next());
    }
  }
}
