// SPDX-License-Identifier: Apache-2.0
// Lines of a set-associative cache, the least recently used of a set replaced first. A line that is
// there has a slot, by which its owner may keep what else is known of it. Memory grows with the
// lines that are there.
#pragma once

#include <bit>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace lacuna {

class LruCache {
 public:
  using Slot = std::uint32_t;

  /// `ways` 0: as many as there are lines (fully associative). A line's set is its number modulo
  /// the sets.
  LruCache(std::uint64_t lines, std::uint64_t ways)
      : ways_(ways == 0 || ways > lines ? lines : ways), sets_(lines / ways_), table_(1024, kNone) {
    LACUNA_CHECK(lines > 0 && lines < kNone && !sets_.empty(), "a cache of {} lines and {} ways",
                 lines, ways);
  }

  struct Access {
    bool hit = false;
    std::optional<std::uint64_t> evicted;  // its slot is now the new line's
    Slot slot = 0;
  };
  Access use(std::uint64_t line) {
    Set& set = set_of(line);
    const std::size_t place = place_of(line);
    if (table_[place] != kNone) {
      const Slot slot = table_[place];
      if (set.newest != slot) {
        unlink(set, slot);
        link(set, slot);
      }
      return {true, {}, slot};
    }
    Access access;
    if (set.lines == ways_) {
      access.slot = set.oldest;
      access.evicted = entries_[access.slot].line;
      take_out(set, access.slot);
      insert(set, line, access.slot, place_of(line));  // places may have moved
      return access;
    }
    if (free_.empty()) {
      access.slot = static_cast<Slot>(entries_.size());
      entries_.emplace_back();
    } else {
      access.slot = free_.back();
      free_.pop_back();
    }
    insert(set, line, access.slot, place);
    if (2 * ++there_ > table_.size()) grow();
    return access;
  }
  [[nodiscard]] std::optional<Slot> find(std::uint64_t line) const {
    const Slot slot = table_[place_of(line)];
    if (slot == kNone) return std::nullopt;
    return slot;
  }
  /// Frees the line's slot, if it is there.
  void drop(std::uint64_t line) {
    const std::optional<Slot> slot = find(line);
    if (!slot) return;
    take_out(set_of(line), *slot);
    free_.push_back(*slot);
    --there_;
  }
  [[nodiscard]] std::uint64_t lines() const { return ways_ * sets_.size(); }
  /// Lines that are there.
  [[nodiscard]] std::uint64_t there() const { return there_; }

 private:
  static constexpr Slot kNone = ~Slot{0};
  struct Set {
    Slot newest = kNone, oldest = kNone;
    std::uint64_t lines = 0;
  };
  struct Entry {
    std::uint64_t line = 0;
    Slot newer = kNone, older = kNone;
  };

  [[nodiscard]] Set& set_of(std::uint64_t line) {
    return sets_[sets_.size() == 1 ? 0 : line % sets_.size()];
  }
  [[nodiscard]] std::size_t home(std::uint64_t line) const {
    return (line * 0x9e3779b97f4a7c15ULL) >> (64 - std::countr_zero(table_.size()));
  }
  /// Where the line is in the table, or where it would be.
  [[nodiscard]] std::size_t place_of(std::uint64_t line) const {
    std::size_t place = home(line);
    while (table_[place] != kNone && entries_[table_[place]].line != line) {
      place = (place + 1) & (table_.size() - 1);
    }
    return place;
  }
  void insert(Set& set, std::uint64_t line, Slot slot, std::size_t place) {
    entries_[slot].line = line;
    link(set, slot);
    ++set.lines;
    table_[place] = slot;
  }
  void take_out(Set& set, Slot slot) {
    unlink(set, slot);
    --set.lines;
    // Those behind it that it had pushed away move up.
    const std::size_t mask = table_.size() - 1;
    std::size_t hole = place_of(entries_[slot].line);
    table_[hole] = kNone;
    for (std::size_t i = (hole + 1) & mask; table_[i] != kNone; i = (i + 1) & mask) {
      const std::size_t wanted = home(entries_[table_[i]].line);
      if (((i - wanted) & mask) < ((i - hole) & mask)) continue;
      table_[hole] = std::exchange(table_[i], kNone);
      hole = i;
    }
  }
  void link(Set& set, Slot slot) {
    entries_[slot].newer = kNone;
    entries_[slot].older = set.newest;
    (set.newest == kNone ? set.oldest : entries_[set.newest].newer) = slot;
    set.newest = slot;
  }
  void unlink(Set& set, Slot slot) {
    const Entry& entry = entries_[slot];
    (entry.newer == kNone ? set.newest : entries_[entry.newer].older) = entry.older;
    (entry.older == kNone ? set.oldest : entries_[entry.older].newer) = entry.newer;
  }
  void grow() {
    std::vector<Slot> before(2 * table_.size(), kNone);
    before.swap(table_);
    for (const Slot slot : before) {
      if (slot != kNone) table_[place_of(entries_[slot].line)] = slot;
    }
  }

  std::uint64_t ways_;
  std::vector<Set> sets_;
  std::vector<Entry> entries_;  // by slot
  std::vector<Slot> free_;
  std::vector<Slot> table_;  // open addressing, a power of two, at most half full
  std::uint64_t there_ = 0;
};

}  // namespace lacuna
