// SPDX-License-Identifier: Apache-2.0
// Do the instructions of a product name just the bytes that they use, and does a program ask for
// the room that they need? Two groups of 2 rows of A and three of 2 columns of B, K in two pieces;
// bytes of each group and piece:
//   A   10 20 | 30 40
//   B    3  5 |  7  9 | 11 13
#include "dataflows/fabric_schedule.hpp"

#include "arch/description/read_spec.hpp"
#include "base/shipped_files.hpp"
#include "dataflows/fabric_compile.hpp"
#include "tests/catch.hpp"

using namespace lacuna;

namespace {

Occupancy dense(std::uint64_t rows, std::uint64_t cols) {
  return Occupancy::procedural(parse_pattern("dense"), rows, cols, 1, "dense");
}

ArrayProduct product() {
  ArrayProduct out;
  out.operands = std::make_shared<const GemmOperands>(dense(4, 8), dense(6, 8));
  out.rows = out.columns = 2;
  out.chunks = 2;
  for (const double words : {10, 20, 30, 40}) out.a.push_back({words, 0});
  for (const double words : {3, 5, 7, 9, 11, 13}) out.b.push_back({words, 0});
  out.z = {24, 0};
  return out;
}

FabricMapping mapping() {
  FabricMapping out;
  out.rows = out.columns = 2;
  out.tile_rows = out.tile_columns = 2;
  out.b_resident = true;
  return out;
}

FabricSchedule schedule(const FabricMapping& mapping) {
  return {product(), mapping, 1};
}

/// Part of a tile: where the tile lies, its bytes, and the part's from its start.
struct Part {
  std::uint64_t at, bytes, begin, end;
  bool operator==(const Part&) const = default;
};
Part part(const TileUse& use) {
  return {use.tile.address, use.tile.bytes(), use.begin, use.end};
}

struct Step {
  std::uint64_t m, n, chunk;
  Part a, b;
};

void check_steps(const FabricSchedule& schedule, const std::vector<Step>& expected) {
  const auto next = schedule.walk();
  ArrayInstruction at;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CAPTURE(i);
    REQUIRE(next(at));
    CHECK(at.m == expected[i].m);
    CHECK(at.n == expected[i].n);
    CHECK(at.chunk == expected[i].chunk);
    CHECK((part(at.a) == expected[i].a));
    CHECK((part(at.b) == expected[i].b));
    CHECK(at.z_bytes == (at.chunk == 1 ? 4 : 0));
  }
  CHECK_FALSE(next(at));
}

}  // namespace

TEST_CASE("an instruction uses its piece of both operands, all of it and no more: tiles of B") {
  FabricMapping of = mapping();
  of.tile_columns = 4;
  check_steps(schedule(of), {{0, 0, 0, {0, 30, 0, 10}, {0, 24, 0, 3}},
                             {0, 0, 1, {0, 30, 10, 30}, {0, 24, 3, 8}},
                             {0, 1, 0, {0, 30, 0, 10}, {0, 24, 8, 15}},
                             {0, 1, 1, {0, 30, 10, 30}, {0, 24, 15, 24}},
                             {1, 0, 0, {30, 70, 0, 30}, {0, 24, 0, 3}},
                             {1, 0, 1, {30, 70, 30, 70}, {0, 24, 3, 8}},
                             {1, 1, 0, {30, 70, 0, 30}, {0, 24, 8, 15}},
                             {1, 1, 1, {30, 70, 30, 70}, {0, 24, 15, 24}},
                             {0, 2, 0, {0, 30, 0, 10}, {24, 24, 0, 11}},
                             {0, 2, 1, {0, 30, 10, 30}, {24, 24, 11, 24}},
                             {1, 2, 0, {30, 70, 0, 30}, {24, 24, 0, 11}},
                             {1, 2, 1, {30, 70, 30, 70}, {24, 24, 11, 24}}});
}

TEST_CASE("an instruction uses its piece of both operands, all of it and no more: tiles of A") {
  FabricMapping of = mapping();
  of.a_outer = true;
  of.tile_rows = 4;
  check_steps(schedule(of), {{0, 0, 0, {0, 100, 0, 10}, {0, 8, 0, 3}},
                             {0, 0, 1, {0, 100, 10, 30}, {0, 8, 3, 8}},
                             {1, 0, 0, {0, 100, 30, 60}, {0, 8, 0, 3}},
                             {1, 0, 1, {0, 100, 60, 100}, {0, 8, 3, 8}},
                             {0, 1, 0, {0, 100, 0, 10}, {8, 16, 0, 7}},
                             {0, 1, 1, {0, 100, 10, 30}, {8, 16, 7, 16}},
                             {1, 1, 0, {0, 100, 30, 60}, {8, 16, 0, 7}},
                             {1, 1, 1, {0, 100, 60, 100}, {8, 16, 7, 16}},
                             {0, 2, 0, {0, 100, 0, 10}, {24, 24, 0, 11}},
                             {0, 2, 1, {0, 100, 10, 30}, {24, 24, 11, 24}},
                             {1, 2, 0, {0, 100, 30, 60}, {24, 24, 0, 11}},
                             {1, 2, 1, {0, 100, 60, 100}, {24, 24, 11, 24}}});
}

TEST_CASE("what only passes has the room that its mapping says, in pieces of the largest") {
  FabricMapping of = mapping();
  for (const std::uint64_t passing : {1U, 2U}) {
    of.passing = passing;
    const ArrayProduct a_passes = *schedule(of).product();
    CHECK(a_passes.a_visits.piece == 40);
    CHECK(a_passes.a_visits.together == passing * 40);
    CHECK(a_passes.b_visits.together == 24);  // a tile
  }
  of.passing = 3;
  CHECK(schedule(of).product()->a_visits.together == 100);  // all there is
  of.tile_columns = 4;                                      // each group of A is walked twice
  CHECK(schedule(of).product()->a_visits.together == 70);
}

// 64 rows of A, 8192 of K, are more than the 320 KiB of tc hold; a tile of B serves them all once.
TEST_CASE("the mapper asks for one piece in use and one that arrives") {
  const FabricSpec tc = read_fabric(machine_reader(load_config("arch", "tc")));
  const GemmOperands operands(dense(64, 8192), dense(8, 8192));
  const FabricPlan plan = compile_fabric(tc, operands);
  const ArrayProduct& one = *plan.program.parts.at(0).product;
  REQUIRE(plan.parts.at(0).mapping.passing == 2);
  CHECK(one.a_visits.together == 2 * one.a_visits.piece);
  CHECK(one.a_visits.bytes.at(0) > 4 * one.a_visits.piece);
  const ArrayShares& shares = plan.program.operations.at(0).shares;
  CHECK(shares.a + shares.b == 320 * 1024);
}
