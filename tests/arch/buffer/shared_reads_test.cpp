// SPDX-License-Identifier: Apache-2.0
// What clusters read of a level that they share, by hand and over random programs: is every byte
// where its readers look for it, and does it leave after the last of them?
#include <numeric>

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
  return {&ArrayProduct::a_visits, &SharedBlock::a_tile, inner, level, room, piece};
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
