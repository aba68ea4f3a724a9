// SPDX-License-Identifier: Apache-2.0
// Does a buffer hold what it should, refetch what it must and no entry more?
#include "arch/buffer/buffet.hpp"

#include "arch/buffer/residency.hpp"

#include <vector>

#include "tests/catch.hpp"

using namespace lacuna;

namespace {

/// A Tailors buffer with its storage beside it: what is in which slot is checked at every read.
class Bench {
 public:
  Bench(std::uint64_t b, std::uint64_t f)
      : buffer_(b, f), window_(f), slots_(b, ~std::uint64_t{0}) {}

  void begin(std::uint64_t n) {
    n_ = n;
    head_ = held_ = 0;
    buffer_.begin_tile(n);
  }
  /// Fills as long as the buffer takes it, at most `limit` entries.
  void fill_ahead(std::uint64_t limit) {
    for (; limit > 0 && buffer_.can_fill(); --limit) fill();
  }
  void fill() {
    const std::uint64_t entry = *buffer_.next_fill();
    std::uint64_t slot = entry;
    if (buffer_.overbooked() && entry >= buffer_.resident()) {
      slot = buffer_.resident() + (head_ + held_++) % window_;
    }
    buffer_.fill();
    slots_[slot] = entry;
  }
  void read(std::uint64_t index) {
    while (!buffer_.can_read(index)) fill();
    REQUIRE(slots_[buffer_.slot(index)] == index);
    buffer_.read(index);
    if (buffer_.overbooked() && index >= buffer_.resident()) {
      head_ = (head_ + 1) % window_;
      --held_;
    }
  }
  /// All entries in order, `ahead` of them fetched before they are asked for.
  void traverse(std::uint64_t ahead, std::uint64_t& budget) {
    for (std::uint64_t i = 0; i < n_; ++i) {
      const std::uint64_t before = buffer_.fills();
      fill_ahead(std::min(ahead, budget));
      read(i);
      REQUIRE(buffer_.fills() - before <= budget);
      budget -= buffer_.fills() - before;
    }
  }
  [[nodiscard]] const TailorsBuffer& buffer() const { return buffer_; }
  [[nodiscard]] const std::vector<std::uint64_t>& slots() const { return slots_; }

 private:
  TailorsBuffer buffer_;
  std::uint64_t window_;
  std::uint64_t n_ = 0, head_ = 0, held_ = 0;
  std::vector<std::uint64_t> slots_;
};

std::uint64_t closed_form(std::uint64_t n, std::uint64_t b, std::uint64_t f, std::uint64_t r) {
  return n <= b ? n : n + (r - 1) * (n - (b - f));
}

}  // namespace

TEST_CASE("a buffet takes what fits, reads what is there and frees the oldest") {
  Buffet buffet(4);
  CHECK(buffet.can_fill(4));
  CHECK_FALSE(buffet.can_fill(5));
  buffet.fill(3);
  CHECK(buffet.can_read(2));
  CHECK_FALSE(buffet.can_read(3));
  CHECK_THROWS_AS(buffet.read(3), ModelError);
  buffet.fill();
  CHECK_THROWS_AS(buffet.fill(), ModelError);
  buffet.read(0);
  buffet.shrink(2);
  CHECK(buffet.occupancy() == 2);
  CHECK_FALSE(buffet.can_read(2));
  CHECK_THROWS_AS(buffet.shrink(3), ModelError);
  buffet.fill(2);
  CHECK(buffet.fills() == 6);
  CHECK(buffet.reads() == 1);
}

TEST_CASE("Tailors fetches n + (r - 1)(n - (b - f)) entries, whatever is fetched ahead") {
  for (std::uint64_t b = 1; b <= 9; ++b) {
    for (std::uint64_t f = 1; f <= b; ++f) {
      for (std::uint64_t n = 1; n <= 22; ++n) {
        for (std::uint64_t r = 1; r <= 4; ++r) {
          for (const std::uint64_t ahead : {0U, 1U, 100U}) {
            Bench bench(b, f);
            bench.begin(n);
            std::uint64_t budget = closed_form(n, b, f, r);
            for (std::uint64_t pass = 0; pass < r; ++pass) bench.traverse(ahead, budget);
            CAPTURE(b, f, n, r, ahead);
            REQUIRE(bench.buffer().fills() == closed_form(n, b, f, r));
            const Residency residency(BufferPolicy::tailors, Bytes(f));
            const TileWalk walk{n, residency.resident(n, b), r};
            REQUIRE(bench.buffer().fills() == walk.fetched());
            REQUIRE(bench.buffer().reads() == n * r);
          }
        }
      }
    }
  }
}

TEST_CASE("the worked example of Tailors: 26 fetches where a buffet makes 44") {
  Bench bench(8, 2);
  bench.begin(11);
  std::uint64_t budget = 26;
  for (int pass = 0; pass < 4; ++pass) bench.traverse(3, budget);
  CHECK(budget == 0);
  CHECK(bench.buffer().fills() == 26);
  CHECK(bench.buffer().resident() == 6);
}

TEST_CASE("the slide example: D overwrites C, C overwrites D, D overwrites C") {
  Bench bench(3, 1);
  bench.begin(4);
  using Slots = std::vector<std::uint64_t>;
  for (std::uint64_t i = 0; i < 3; ++i) bench.read(i);
  CHECK(bench.slots() == Slots{0, 1, 2});
  bench.read(3);
  CHECK(bench.slots() == Slots{0, 1, 3});
  bench.read(0);
  bench.read(1);
  CHECK(bench.buffer().fills() == 4);
  bench.read(2);
  CHECK(bench.slots() == Slots{0, 1, 2});
  bench.read(3);
  CHECK(bench.slots() == Slots{0, 1, 3});
  CHECK(bench.buffer().fills() == 6);
}

TEST_CASE("a tile that just fits is a buffet's: each entry once, no ring") {
  for (const std::uint64_t n : {7U, 8U}) {
    Bench bench(8, 3);
    bench.begin(n);
    std::uint64_t budget = n;
    for (int pass = 0; pass < 5; ++pass) bench.traverse(100, budget);
    CHECK_FALSE(bench.buffer().overbooked());
    CHECK(bench.buffer().fills() == n);
  }
}

TEST_CASE("a fill overwrites a ring slot only after its entry has been used") {
  TailorsBuffer buffer(4, 2);
  buffer.begin_tile(7);
  for (int i = 0; i < 4; ++i) buffer.fill();
  CHECK_FALSE(buffer.can_fill());
  CHECK_THROWS_AS(buffer.fill(), ModelError);
  buffer.read(0);
  buffer.read(1);
  CHECK_FALSE(buffer.can_fill());  // the head is not the ring's to give
  buffer.read(2);
  CHECK(buffer.can_fill());
  CHECK(buffer.next_fill() == 4U);
  buffer.fill();
  CHECK_FALSE(buffer.can_fill());
  CHECK_FALSE(buffer.can_read(4));  // 3 is the oldest of the ring
  CHECK_THROWS_AS(buffer.read(4), ModelError);
}

TEST_CASE("several overbooked tiles in a row, fitting ones among them, start afresh") {
  Bench bench(6, 2);
  std::uint64_t expected = 0;
  for (const std::uint64_t n : {9U, 13U, 4U, 6U, 7U, 30U, 1U, 8U}) {
    bench.begin(n);
    std::uint64_t budget = closed_form(n, 6, 2, 3);
    expected += budget;
    for (int pass = 0; pass < 3; ++pass) bench.traverse(100, budget);
    CHECK(budget == 0);
  }
  CHECK(bench.buffer().fills() == expected);
}

TEST_CASE("a window outside 1 to the capacity is refused") {
  CHECK_THROWS_AS(TailorsBuffer(4, 0), ModelError);
  CHECK_THROWS_AS(TailorsBuffer(4, 5), ModelError);
  CHECK_NOTHROW(TailorsBuffer(4, 4));
}
