// SPDX-License-Identifier: Apache-2.0
// Is the element found that is free first, however often times were set since it was last asked?
#include "arch/compute/earliest_free.hpp"

#include <algorithm>

#include "base/random.hpp"
#include "tests/catch.hpp"

using namespace lacuna;

TEST_CASE("the first of all is the lowest of those with the least time, for any count") {
  RandomStream random(7, "earliest free");
  for (std::uint32_t count : {1U, 2U, 3U, 37U, 64U, 128U}) {
    for (const std::uint64_t spread : {1ULL, 3ULL, 100'000ULL}) {
      CAPTURE(count, spread);
      EarliestFree free(count);
      std::vector<sim::Ticks> model(count, 0);
      for (int step = 0; step < 5'000; ++step) {
        const auto element = static_cast<std::uint32_t>(random.below(count));
        // Mostly the one that was first goes on, as in a machine whose elements are all at work.
        const std::uint32_t set = random.below(3) != 0 ? free.first() : element;
        model[set] += random.below(spread + 1);
        free.set(set, model[set]);
        REQUIRE(free[set] == model[set]);
        if (random.below(4) != 0) continue;
        const auto least = std::min_element(model.begin(), model.end());
        REQUIRE(free.first() == static_cast<std::uint32_t>(least - model.begin()));
      }
    }
  }
}
