// SPDX-License-Identifier: Apache-2.0
// The cache against lists that are obviously in the order of use.
#include <algorithm>
#include <list>
#include <map>

#include "arch/buffer/lru_cache.hpp"
#include "base/random.hpp"
#include "tests/catch.hpp"

using namespace lacuna;

TEST_CASE("random uses of a cache hit, evict and drop what lists in the order of use say") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    RandomStream random(seed, "cache");
    const std::uint64_t ways = 1 + random.below(6), sets = 1 + random.below(5);
    LruCache cache(ways * sets, seed % 4 == 0 ? 0 : ways);
    const std::uint64_t most = seed % 4 == 0 ? ways * sets : ways;
    std::map<std::uint64_t, std::list<std::uint64_t>> lists;
    std::map<std::uint64_t, LruCache::Slot> slots;
    for (int i = 0; i < 4000; ++i) {
      const std::uint64_t line = random.below(6 * ways * sets);
      auto& list = lists[seed % 4 == 0 ? 0 : line % sets];
      const auto at = std::find(list.begin(), list.end(), line);
      const bool hit = at != list.end();
      REQUIRE(cache.find(line).has_value() == hit);
      if (random.below(8) == 0) {
        cache.drop(line);
        if (hit) list.erase(at);
        slots.erase(line);
        continue;
      }
      const LruCache::Access access = cache.use(line);
      REQUIRE(access.hit == hit);
      if (hit) {
        list.erase(at);
        REQUIRE(access.slot == slots.at(line));
      } else if (list.size() == most) {
        REQUIRE(access.evicted == list.back());
        REQUIRE(access.slot == slots.at(list.back()));
        slots.erase(list.back());
        list.pop_back();
      } else {
        REQUIRE_FALSE(access.evicted.has_value());
      }
      list.push_front(line);
      slots[line] = access.slot;
    }
    std::uint64_t there = 0;
    for (const auto& [set, list] : lists) there += list.size();
    CHECK(cache.there() == there);
  }
}
