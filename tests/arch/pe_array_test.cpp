// SPDX-License-Identifier: Apache-2.0
// Do pairs go to free elements in turn, or to the one that is free first, when a slot and the port
// have room; and is every PE-cycle accounted for?
#include "arch/compute/pe_array.hpp"

#include "tests/arch/products.hpp"

using namespace lacuna;
using sim::Ticks;
using sim::to_ticks;

namespace {

struct Shape {
  std::uint64_t count = 2;
  std::uint64_t pairs_in_flight = 2;
  double bytes_per_cycle = 16;
  std::uint64_t latency = 0;
  std::uint64_t overhead = 0;
};

PeArray make(const Shape& shape) {
  PeSpec pes;
  pes.count = shape.count;
  pes.pair_overhead = Cycles(shape.overhead);
  PebSpec peb;
  peb.pairs_in_flight = shape.pairs_in_flight;
  LlbSpec llb;
  llb.bytes_per_cycle = shape.bytes_per_cycle;
  return PeArray(pes, peb, llb, NetworkSpec{Cycles(shape.latency)});
}

/// The same rules, written down plainly: the first of the next few in turn that is free by then,
/// otherwise the least (free time, number).
class SlowArray {
 public:
  explicit SlowArray(const Shape& shape)
      : shape_(shape), free_(shape.count, 0), starts_(shape.count), port_(shape.bytes_per_cycle) {}

  PeArray::Placement place(Ticks ready, std::uint64_t bytes, std::uint64_t busy) {
    const auto in_turn = [&](std::size_t i) { return (turn_ + i) % free_.size(); };
    auto pe =
        static_cast<std::size_t>(std::min_element(free_.begin(), free_.end()) - free_.begin());
    for (std::size_t i = PeArray::kTurns; i-- > 0;) {
      if (free_[in_turn(i)] <= ready) pe = in_turn(i);
    }
    turn_ = (pe + 1) % free_.size();
    const std::size_t slots = shape_.pairs_in_flight - 1;
    std::vector<Ticks>& starts = starts_[pe];
    Ticks sent = std::max(ready, port_.free_at());
    if (slots == 0) sent = std::max(sent, free_[pe]);
    if (slots > 0 && starts.size() >= slots) sent = std::max(sent, starts[starts.size() - slots]);
    const Ticks arrived = port_.transfer(sent, bytes) + to_ticks(Cycles(shape_.latency));
    const Ticks start = std::max(arrived, free_[pe]);
    starts.push_back(start);
    free_[pe] = start + to_ticks(Cycles(busy + shape_.overhead));
    return {sent, free_[pe]};
  }

 private:
  Shape shape_;
  std::size_t turn_ = 0;
  std::vector<Ticks> free_;
  std::vector<std::vector<Ticks>> starts_;
  sim::BandwidthPort port_;
};

std::uint64_t sum(const StallBreakdown& b) {
  return b.busy + b.wait_a + b.wait_b + b.wait_intersect + b.wait_network + b.wait_output +
         b.imbalance + b.drain;
}

}  // namespace

TEST_CASE("a second slot hides the transfer behind the work, one slot does not") {
  PeArray one = make({.count = 1, .pairs_in_flight = 1});
  CHECK(one.place(0, 16, 10).end == to_ticks(Cycles(11)));
  const auto second = one.place(0, 16, 10);
  CHECK(second.sent == to_ticks(Cycles(11)));
  CHECK(second.end == to_ticks(Cycles(22)));

  PeArray two = make({.count = 1, .pairs_in_flight = 2});
  CHECK(two.place(0, 16, 10).end == to_ticks(Cycles(11)));
  CHECK(two.place(0, 16, 10).end == to_ticks(Cycles(21)));
  // The slot frees when the second pair starts, at 11.
  CHECK(two.place(0, 16, 10).sent == to_ticks(Cycles(11)));
}

TEST_CASE("latency and overhead are paid once per pair") {
  PeArray array = make({.count = 1, .latency = 5, .overhead = 3});
  CHECK(array.place(0, 32, 10).end == to_ticks(Cycles(2 + 5 + 3 + 10)));
}

TEST_CASE("several pairs at once are placed as one after the other") {
  RandomStream random(3, "runs of pairs");
  for (int trial = 0; trial < 60; ++trial) {
    const Shape shape{1 + random.below(9), 1 + random.below(4), 1 + 20 * random.uniform(),
                      random.below(6), random.below(3)};
    PeArray alone = make(shape), together = make(shape);
    Ticks clock = 0;
    for (int round = 0; round < 20; ++round) {
      std::vector<PeArray::Pair> pairs(random.below(70));
      PeArray::Placement expected{clock, 0};
      for (PeArray::Pair& pair : pairs) {
        pair = {random.below(to_ticks(Cycles(4))), random.below(300), random.below(40)};
        const auto placed = alone.place(expected.sent + pair.after, pair.bytes, pair.busy);
        expected = {placed.sent, std::max(expected.end, placed.end)};
      }
      const auto placed = together.place(clock, pairs);
      REQUIRE(placed.sent == expected.sent);
      REQUIRE(placed.end == expected.end);
      clock = placed.sent + random.below(to_ticks(Cycles(50)));
    }
    CHECK(together.busy() == alone.busy());
    CHECK(together.last_end() == alone.last_end());
  }
}

TEST_CASE("which free element takes a pair changes no time") {
  // Behind an element that works long, the others go on in turn.
  PeArray array = make({.count = 3, .bytes_per_cycle = 0});
  CHECK(array.place(0, 8, 100).end == to_ticks(Cycles(100)));
  for (std::uint64_t at = 10; at < 50; at += 10) {
    CHECK(array.place(to_ticks(Cycles(at)), 8, 5).end == to_ticks(Cycles(at + 5)));
  }
  CHECK(array.busy() == std::vector<std::uint64_t>{100, 10, 10});
}

TEST_CASE("elements that are free at the same time are taken in the order of their numbers") {
  PeArray array = make({.count = 4, .bytes_per_cycle = 0});
  for (int i = 0; i < 4; ++i) (void)array.place(0, 8, 1 + static_cast<std::uint64_t>(i));
  CHECK(array.busy() == std::vector<std::uint64_t>{1, 2, 3, 4});
}

TEST_CASE("random pairs are placed as by the rules written down plainly, in order") {
  RandomStream random(1, "pairs");
  for (int trial = 0; trial < 60; ++trial) {
    const Shape shape{1 + random.below(20), 1 + random.below(4),
                      random.below(3) == 0 ? 0.0 : 1 + 20 * random.uniform(), random.below(6),
                      random.below(3)};
    PeArray array = make(shape);
    SlowArray slow(shape);
    Ticks clock = 0, last_sent = 0, last_end = 0;
    std::uint64_t work = 0;
    for (int i = 0; i < 400; ++i) {
      if (random.below(4) == 0) {
        const Ticks wait = random.below(to_ticks(Cycles(30)));
        clock += wait;
        array.waited(random.below(2) == 0 ? PeArray::Cause::a : PeArray::Cause::b, wait);
      }
      const std::uint64_t bytes = random.below(300), busy = random.below(40);
      const auto placed = array.place(clock, bytes, busy);
      const auto expected = slow.place(clock, bytes, busy);
      REQUIRE(placed.sent == expected.sent);
      REQUIRE(placed.end == expected.end);
      REQUIRE(placed.sent >= last_sent);
      last_sent = placed.sent;
      last_end = std::max(last_end, placed.end);
      clock = placed.sent;
      work += busy + shape.overhead;
    }
    REQUIRE(array.last_end() == last_end);
    const std::uint64_t cycles = sim::to_cycles_up(last_end).count() + random.below(100);
    const StallBreakdown breakdown = array.breakdown(to_ticks(Cycles(cycles)));
    CHECK(breakdown.busy == work);
    CHECK(sum(breakdown) == cycles * shape.count);
  }
}

TEST_CASE("idle time is charged to what caused it") {
  // One element: waits 10 for A, 1 on the way, works 5, waits 20 for B, 1 on the way, works 5.
  PeArray array = make({.count = 1});
  array.waited(PeArray::Cause::a, to_ticks(Cycles(10)));
  CHECK(array.place(to_ticks(Cycles(10)), 16, 5).end == to_ticks(Cycles(16)));
  array.waited(PeArray::Cause::b, to_ticks(Cycles(20)));
  CHECK(array.place(to_ticks(Cycles(36)), 16, 5).end == to_ticks(Cycles(42)));
  const StallBreakdown breakdown = array.breakdown(to_ticks(Cycles(50)));
  CHECK(breakdown.busy == 10);
  CHECK(breakdown.wait_a == 10);
  CHECK(breakdown.wait_b == 20);
  CHECK(breakdown.wait_network == 2);
  CHECK(breakdown.imbalance == 0);
  CHECK(breakdown.drain == 8);
}

TEST_CASE("elements without a pair while another still works are imbalance") {
  PeArray array = make({.count = 4, .bytes_per_cycle = 0});
  (void)array.place(0, 8, 100);
  const StallBreakdown breakdown = array.breakdown(to_ticks(Cycles(100)));
  CHECK(breakdown.busy == 100);
  CHECK(breakdown.imbalance == 300);
  CHECK(breakdown.drain == 0);
}

TEST_CASE("a pair does not end before the last of its bytes has come, whatever its parts ask for") {
  PeArray array = make({.count = 1, .bytes_per_cycle = 1});
  const std::vector<PeArray::Step> steps{{8, 1}};
  CHECK(array.place(0, 40, 1, steps).end == to_ticks(Cycles(40)));
  const StallBreakdown breakdown = array.breakdown(to_ticks(Cycles(40)));
  CHECK(breakdown.busy == 1);
  CHECK(breakdown.wait_network == 39);
}

TEST_CASE("part by part, work starts with the first part and ends no later than with the whole") {
  RandomStream random(2, "parts");
  for (int trial = 0; trial < 300; ++trial) {
    PeArray whole = make({.count = 1, .bytes_per_cycle = 4}),
            parts = make({.count = 1, .bytes_per_cycle = 4});
    std::vector<PeArray::Step> steps;
    std::uint64_t bytes = 0, busy = 0;
    for (std::uint64_t i = 0; i <= random.below(6); ++i) {
      bytes += 8 + random.below(64);
      const std::uint64_t work = random.below(20);
      busy += work;
      steps.push_back({bytes, work});
    }
    const auto together = whole.place(0, bytes, busy);
    const auto apart = parts.place(0, bytes, busy, steps);
    CHECK(apart.end <= together.end);
    CHECK(apart.end >= to_ticks(Cycles(busy)) + parts.port().service_time(steps.front().bytes));
    CHECK(sum(parts.breakdown(together.end)) == sim::to_cycles_up(together.end).count());
  }
}
