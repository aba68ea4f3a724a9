// SPDX-License-Identifier: Apache-2.0
// Lines of a set-associative cache, the least recently used of a set replaced first.
#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/error.hpp"

namespace lacuna {

class LruCache {
 public:
  /// `ways` 0: as many as there are lines (fully associative). A line's set is its number modulo
  /// the sets.
  LruCache(std::uint64_t lines, std::uint64_t ways)
      : ways_(ways == 0 || ways > lines ? lines : ways), sets_(lines / ways_) {
    LACUNA_CHECK(lines > 0 && sets_.size() > 0, "a cache of {} lines and {} ways", lines, ways);
  }

  struct Access {
    bool hit = false;
    std::optional<std::uint64_t> evicted;
  };
  Access use(std::uint64_t line) {
    Set& set = sets_[line % sets_.size()];
    if (const auto found = set.where.find(line); found != set.where.end()) {
      set.order.splice(set.order.begin(), set.order, found->second);
      return {true, {}};
    }
    Access access;
    if (set.order.size() == ways_) {
      access.evicted = set.order.back();
      set.where.erase(set.order.back());
      set.order.pop_back();
    }
    set.order.push_front(line);
    set.where[line] = set.order.begin();
    return access;
  }
  [[nodiscard]] std::uint64_t lines() const { return ways_ * sets_.size(); }

 private:
  struct Set {
    std::list<std::uint64_t> order;  // most recently used first
    std::unordered_map<std::uint64_t, std::list<std::uint64_t>::iterator> where;
  };
  std::uint64_t ways_;
  std::vector<Set> sets_;
};

}  // namespace lacuna
