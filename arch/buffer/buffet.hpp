// SPDX-License-Identifier: Apache-2.0
// Explicitly managed buffers, entry by entry: the state machines behind the stream model of the
// last level and behind the PE buffers of the element fidelity.
#pragma once

#include <cstdint>
#include <optional>

#include "base/error.hpp"

namespace lacuna {

/// Buffet semantics (fill, read, update, shrink; HYTE 2.2, EDDO): Fill appends and needs room, Read
/// addresses relative to the head and needs the entry to be there, Shrink frees the oldest entries.
/// Holds positions, not data: what an entry is worth is its owner's business.
class Buffet {
 public:
  explicit Buffet(std::uint64_t capacity) : capacity_(capacity) {}

  [[nodiscard]] bool can_fill(std::uint64_t entries = 1) const {
    return occupancy_ + entries <= capacity_;
  }
  void fill(std::uint64_t entries = 1) {
    LACUNA_CHECK(can_fill(entries), "fill of {} into {} of {}", entries, occupancy_, capacity_);
    occupancy_ += entries;
    fills_ += entries;
  }
  [[nodiscard]] bool can_read(std::uint64_t index) const { return index < occupancy_; }
  void read(std::uint64_t index) {
    LACUNA_CHECK(can_read(index), "read of entry {}, {} there", index, occupancy_);
    ++reads_;
  }
  void shrink(std::uint64_t entries) {
    LACUNA_CHECK(entries <= occupancy_, "shrink by {} of {}", entries, occupancy_);
    occupancy_ -= entries;
  }
  [[nodiscard]] std::uint64_t occupancy() const { return occupancy_; }
  [[nodiscard]] std::uint64_t fills() const { return fills_; }
  [[nodiscard]] std::uint64_t reads() const { return reads_; }

 private:
  std::uint64_t capacity_;
  std::uint64_t occupancy_ = 0;
  std::uint64_t fills_ = 0;
  std::uint64_t reads_ = 0;
};

/// The overbooked buffer (Tailors; reference section 1.3, rules inferred from the published
/// example): a tile of n entries, traversed in order several times. Entries 0..R-1 stay resident (R
/// = b - f), the rest streams through a ring of f slots that overwriting fills (OWFill) reuse in
/// order. With n <= b it is a buffet.
///
/// Fetches over r traversals: what TileWalk (residency.hpp) says.
class TailorsBuffer {
 public:
  TailorsBuffer(std::uint64_t capacity, std::uint64_t window)
      : capacity_(capacity), window_(window) {
    LACUNA_CHECK(window >= 1 && window <= capacity, "window {} of {}", window, capacity);
  }

  void begin_tile(std::uint64_t entries) {
    entries_ = entries;
    filled_ = 0;
    ring_first_ = resident();
    ring_held_ = 0;
    ring_head_ = 0;
    next_fill_ = 0;
    next_read_ = 0;
  }
  [[nodiscard]] bool overbooked() const { return entries_ > capacity_; }
  /// R, the entries that stay once fetched.
  [[nodiscard]] std::uint64_t resident() const {
    return overbooked() ? capacity_ - window_ : entries_;
  }
  /// The entry that the next fill brings; nothing when everything needed is there for good.
  [[nodiscard]] std::optional<std::uint64_t> next_fill() const {
    if (next_fill_ < entries_) return next_fill_;
    return std::nullopt;
  }
  /// A fill may overwrite a ring slot only after its entry's use in this traversal.
  [[nodiscard]] bool can_fill() const {
    if (next_fill_ >= entries_) return false;
    return next_fill_ < resident() || ring_held_ < window_;
  }
  void fill() {
    LACUNA_CHECK(can_fill(), "fill of entry {}: the ring is full", next_fill_);
    if (next_fill_ >= resident()) {
      if (ring_held_ == 0) {
        ring_first_ = next_fill_;
      }
      ++ring_held_;
    }
    ++fills_;
    ++filled_;
    ++next_fill_;
    // The static order: after the last entry the tail starts over.
    if (next_fill_ == entries_ && overbooked()) next_fill_ = resident();
  }
  /// Traversals read entries 0..n-1 in order.
  [[nodiscard]] bool can_read(std::uint64_t index) const {
    if (index < resident()) return filled_ > index;
    return ring_held_ > 0 && ring_first_ == index;
  }
  /// The slot that entry sits in, for a read that can_read().
  [[nodiscard]] std::uint64_t slot(std::uint64_t index) const {
    return index < resident() ? index : resident() + ring_head_;
  }
  void read(std::uint64_t index) {
    LACUNA_CHECK(can_read(index), "read of entry {}: not there", index);
    ++reads_;
    if (index < resident()) return;
    --ring_held_;
    ring_head_ = (ring_head_ + 1) % window_;
    ring_first_ = index + 1 == entries_ ? resident() : index + 1;
  }
  [[nodiscard]] std::uint64_t fills() const { return fills_; }
  [[nodiscard]] std::uint64_t reads() const { return reads_; }

 private:
  std::uint64_t capacity_;
  std::uint64_t window_;
  std::uint64_t entries_ = 0;
  std::uint64_t filled_ = 0;     // fills of this tile
  std::uint64_t next_fill_ = 0;  // entry index
  std::uint64_t next_read_ = 0;
  std::uint64_t ring_first_ = 0;  // FIFO-offset: index of the oldest ring entry
  std::uint64_t ring_head_ = 0;   // FIFO-head: its ring slot
  std::uint64_t ring_held_ = 0;
  std::uint64_t fills_ = 0;
  std::uint64_t reads_ = 0;
};

}  // namespace lacuna
