// SPDX-License-Identifier: Apache-2.0
// What clusters read of a level that they share, by hand and over random programs: is every byte
// where its readers look for it, and does it leave after the last of them?
#include <numeric>

#include "arch/buffer/lru_cache.hpp"
#include "arch/buffer/shared_reads.hpp"
#include "base/random.hpp"
#include "tests/catch.hpp"

using namespace lacuna;

namespace {

const Residency kBuffet(BufferPolicy::buffet, Bytes(0));

std::shared_ptr<const ArrayProduct> walking(TileVisits visits) {
  auto product = std::make_shared<ArrayProduct>();
  product->a_visits = visits;
  product->b_visits = std::move(visits);
  return product;
}

TileVisits visits_of(std::vector<std::uint64_t> bytes, std::vector<std::uint64_t> walks,
                     std::uint64_t room = 0) {
  TileVisits visits;
  visits.bytes = std::move(bytes);
  visits.walks = std::move(walks);
  visits.room = room;
  return visits;
}

SharedOperand operand_of(const Residency& level, std::uint64_t room, std::uint64_t piece = 0,
                         const Residency& inner = kBuffet) {
  SharedOperand operand{&ArrayProduct::a_visits, &SharedBlock::a_tile, inner, level};
  operand.room = room;
  operand.piece = piece;
  return operand;
}

std::vector<SharedReads::Run> runs_of(const std::vector<SharedProduct>& products,
                                      const SharedOperand& operand, std::size_t cluster = 0) {
  SharedReads reads(products, operand, cluster);
  std::vector<SharedReads::Run> runs;
  for (SharedReads::Run run; reads.next(run);) runs.push_back(run);
  return runs;
}

std::string text(const std::vector<SharedReads::Run>& runs) {
  std::string out;
  for (const auto& run : runs) {
    out += fmt::format("{}+{}{}{} ", run.at, run.bytes, run.comes ? " comes" : "",
                       run.last ? " last" : "");
  }
  return out;
}

}  // namespace

TEST_CASE("a tile that fits its level comes once and leaves with the last reading") {
  // Two blocks with one tile: two passes and one over 100 and 50 bytes.
  const std::vector<SharedProduct> products{{{{0, 0, {walking(visits_of({100, 50}, {1, 1}))}},
                                              {0, 1, {walking(visits_of({100, 50}, {4}))}}},
                                             1}};
  CHECK(text(runs_of(products, operand_of(kBuffet, 150))) ==
        "0+100 comes 100+50 comes 150+100 150+50 150+100 last 150+50 last ");
}

TEST_CASE("a level that keeps the head of a tile brings its tail for every reading") {
  const Residency tailors(BufferPolicy::tailors, Bytes(20));
  const std::vector<SharedProduct> products{{{{0, 0, {walking(visits_of({100}, {1, 1, 1}))}}}, 1}};
  CHECK(text(runs_of(products, operand_of(tailors, 80))) ==
        "0+60 comes 60+40 comes last 100+60 100+40 comes last 140+60 last 140+40 comes last ");
  CHECK(streamed_bytes(products, operand_of(tailors, 80)) == 100 + 2 * (100 - (80 - 20)));
  CHECK(streamed_bytes(products, operand_of(kBuffet, 80)) == 300);
}

TEST_CASE("what overflows the buffers inside is read from the level again") {
  // A tile of 100 bytes in a buffet of 60 is walked three times: nothing of it stays there.
  const std::vector<SharedProduct> products{{{{0, 0, {walking(visits_of({100}, {3}, 60))}}}, 2}};
  CHECK(text(runs_of(products, operand_of(kBuffet, 200))) ==
        "0+100 comes 100+100 100+100 last 100+100 comes 200+100 200+100 last ");
}

TEST_CASE("clusters that read parts of their own take turns") {
  const std::vector<SharedProduct> products{
      {{{0, 0, {walking(visits_of({50}, {1})), walking(visits_of({30}, {1}))}}}, 1}};
  const SharedOperand operand = operand_of(kBuffet, 200, 20);
  CHECK(text(runs_of(products, operand, 0)) ==
        "0+20 comes last 40+20 comes last 70+10 comes last ");
  CHECK(text(runs_of(products, operand, 1)) == "20+20 comes last 60+10 comes last ");
}

TEST_CASE("over random programs each byte of a stream has a first reader and a last") {
  RandomStream random(5, "shared reads");
  for (int round = 0; round < 300; ++round) {
    const std::size_t clusters = 1 + random.below(4);
    const bool common = random.below(2) == 0;
    const std::size_t items = 1 + random.below(4);
    std::vector<SharedProduct> products(1 + random.below(3));
    for (SharedProduct& product : products) {
      product.times = 1 + random.below(2);
      std::uint64_t tile = 0;
      std::vector<std::vector<std::uint64_t>> bytes(clusters);
      for (std::size_t blocks = 1 + random.below(4); blocks > 0; --blocks) {
        if (bytes[0].empty() || random.below(2) == 0) {
          ++tile;
          for (auto& of_cluster : bytes) {
            of_cluster.assign(items, 0);
            for (auto& item : of_cluster) item = random.below(300);
            if (common) of_cluster = bytes[0];
          }
        }
        std::vector<std::uint64_t> walks(1 + random.below(3));
        for (auto& count : walks) count = 1 + random.below(3);
        SharedBlock block{tile, tile, {}};
        for (const auto& of_cluster : bytes) {
          block.of_cluster.push_back(walking(visits_of(of_cluster, walks, random.below(2) * 100)));
          if (common) block.of_cluster.back() = block.of_cluster.front();
        }
        product.blocks.push_back(block);
      }
    }
    const Residency inner(BufferPolicy::tailors, Bytes(30));
    const Residency level(random.below(2) == 0 ? BufferPolicy::tailors : BufferPolicy::buffet,
                          Bytes(50));
    const SharedOperand operand =
        operand_of(level, 60 + random.below(900), common ? 0 : 1 + random.below(100), inner);
    const std::uint64_t streamed = streamed_bytes(products, operand);
    std::uint64_t came = 0, left = 0;
    for (std::size_t c = 0; c < (common ? 1 : clusters); ++c) {
      std::uint64_t read = 0, at = 0;
      for (const auto& run : runs_of(products, operand, c)) {
        read += run.bytes;
        if (run.comes) {
          CHECK(run.at >= at);  // in the order of the stream
          at = run.at + run.bytes;
          came += run.bytes;
        }
        CHECK(at <= streamed);
        if (run.last) left += run.bytes;
      }
      // What the cluster's own buffer fetches.
      std::uint64_t fetched = 0;
      for (const SharedProduct& product : products) {
        for (const SharedBlock& block : product.blocks) {
          fetched +=
              product.times * fetch_totals("test", block.of_cluster[c]->a_visits, inner).bytes;
        }
      }
      CHECK(read == fetched);
    }
    CHECK(came == streamed);
    CHECK(left == streamed);
  }
}

TEST_CASE("a cache loses the line that was read longest ago, set by set") {
  LruCache all(3, 0);  // fully associative
  for (std::uint64_t line = 1; line <= 3; ++line) CHECK_FALSE(all.use(line).hit);
  CHECK(all.use(1).hit);
  CHECK(all.use(4).evicted == 2);
  CHECK(all.use(1).hit);
  CHECK(all.use(2).evicted == 3);
  LruCache sets(4, 2);  // even lines in one set, odd ones in the other
  for (const std::uint64_t line : {0U, 2U, 1U}) CHECK_FALSE(sets.use(line).hit);
  CHECK(sets.use(4).evicted == 0);
  CHECK(sets.use(1).hit);
  CHECK_FALSE(sets.use(3).evicted.has_value());
}

TEST_CASE("a cached level: lines come when they are not there and leave after their last reading") {
  // Two passes over a tile of three lines.
  const std::vector<SharedProduct> products{{{{0, 0, {walking(visits_of({30}, {1, 1}))}}}, 1}};
  const auto cached = [&](std::uint64_t lines) {
    SharedOperand operand = operand_of(kBuffet, lines * 10);
    operand.line = 10;
    operand.cache = trace_cache(products, operand);
    return operand;
  };
  CHECK(streamed_bytes(products, cached(3)) == 30);
  CHECK(streamed_bytes(products, cached(2)) == 60);  // a cyclic walk of more than there is: no hit
  const auto fits = runs_of(products, cached(3)), overflows = runs_of(products, cached(2));
  REQUIRE(fits.size() == 6);
  REQUIRE(overflows.size() == 6);
  for (std::size_t i = 0; i < 6; ++i) {
    CHECK(fits[i].comes == (i < 3));
    CHECK(fits[i].last == (i >= 3));
    CHECK((overflows[i].comes && overflows[i].last));
    CHECK(fits[i].line_end == (i % 3 + 1) * 10);
  }
}

TEST_CASE("over random programs a cache brings what one that looks up each line brings") {
  RandomStream random(6, "cached reads");
  for (int round = 0; round < 100; ++round) {
    SharedProduct product;
    for (std::uint64_t b = 0; b < 1 + random.below(5); ++b) {
      std::vector<std::uint64_t> bytes(1 + random.below(3));
      for (auto& item : bytes) item = random.below(100);
      product.blocks.push_back({random.below(3), b, {}});
      auto& block = product.blocks.back();
      // A tile has one size.
      for (auto& item : bytes) item = 20 + block.a_tile * 7;
      block.of_cluster = {walking(visits_of({20 + block.a_tile * 7, 33}, {1, 1}))};
    }
    const std::vector<SharedProduct> products{product};
    SharedOperand operand = operand_of(kBuffet, 10 * (1 + random.below(12)));
    operand.line = 10;
    operand.ways = random.below(2) == 0 ? 0 : 1;
    operand.cache = trace_cache(products, operand);
    std::uint64_t came = 0, left = 0, read = 0;
    for (const auto& run : runs_of(products, operand)) {
      came += run.comes ? run.line : 0;
      left += run.last ? run.line : 0;
      read += run.bytes;
      CHECK(run.line_end <= streamed_bytes(products, operand));
      CHECK(run.line_end > 0);
    }
    std::uint64_t want = 0;
    for (const SharedBlock& block : product.blocks) want += 2 * (20 + block.a_tile * 7 + 33);
    CHECK(read == want);
    CHECK(came == streamed_bytes(products, operand));
    CHECK(left == came);
  }
}
