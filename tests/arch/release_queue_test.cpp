// SPDX-License-Identifier: Apache-2.0
// Do processing elements come free in the order of time, however far apart their ends lie?
#include "arch/compute/release_queue.hpp"

#include <set>
#include <utility>

#include "base/random.hpp"
#include "tests/catch.hpp"

using namespace lacuna;

TEST_CASE("elements come free by time, then by number, near and far ends mixed") {
  RandomStream random(7, "release queue");
  for (const std::uint64_t spread : {3ULL, 500ULL, 4096ULL, 100'000ULL}) {
    CAPTURE(spread);
    constexpr std::uint32_t kElements = 37;
    ReleaseQueue queue(kElements);
    std::set<std::pair<sim::Ticks, std::uint32_t>> model;
    std::vector<std::uint32_t> outside(kElements);
    for (std::uint32_t pe = 0; pe < kElements; ++pe) outside[pe] = pe;
    sim::Ticks now = 0;
    for (int step = 0; step < 20'000; ++step) {
      if (!outside.empty() && (model.empty() || random.below(2) == 0)) {
        const std::size_t at = random.below(outside.size());
        std::swap(outside[at], outside.back());
        // Ticks within a cycle differ too, and equal ends happen.
        const sim::Ticks end = now + (random.below(spread) << sim::kTickBits) + random.below(3);
        queue.push(end, outside.back());
        model.emplace(end, outside.back());
        outside.pop_back();
      } else {
        REQUIRE(queue.front().free_at == model.begin()->first);
        REQUIRE(queue.front().pe == model.begin()->second);
        now = queue.front().free_at;
        outside.push_back(queue.front().pe);
        queue.pop();
        model.erase(model.begin());
      }
      if (model.empty() && random.below(4) == 0) {
        now += random.below(10 * spread) << sim::kTickBits;  // nothing happens for a long time
        queue.advance(now);
      }
      REQUIRE(queue.empty() == model.empty());
    }
    std::set<std::pair<sim::Ticks, std::uint32_t>> left;
    queue.for_each([&](const ReleaseQueue::Element& e) { left.emplace(e.free_at, e.pe); });
    CHECK(left == model);
  }
}

TEST_CASE("an element that would be free before the wheel's time is a defect") {
  ReleaseQueue queue(2);
  queue.advance(sim::Ticks{10} << sim::kTickBits);
  CHECK(lacuna::test::error_of([&] { queue.push(sim::Ticks{9} << sim::kTickBits, 0); }) != "");
}
