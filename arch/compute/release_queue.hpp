// SPDX-License-Identifier: Apache-2.0
// The processing elements at work, in the order in which they become free: a wheel of one-cycle
// buckets with a bitmap, so that the next one is found without comparing elements with each other.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <vector>

#include "base/error.hpp"
#include "sim/port.hpp"

namespace lacuna {

/// A priority queue of (time, element), the earliest first, the lower element first among equals.
/// Times may come in any order, but never before the last one taken out or the last advance().
class ReleaseQueue {
 public:
  struct Element {
    sim::Ticks free_at;
    std::uint32_t pe;
  };

  explicit ReleaseQueue(std::uint32_t elements)
      : free_at_(elements, 0), next_(elements, kNone), head_(kBuckets, kNone) {
    far_.reserve(elements);
  }

  [[nodiscard]] bool empty() const { return front_pe_ == kNone; }
  [[nodiscard]] Element front() const { return {front_at_, front_pe_}; }

  void push(sim::Ticks free_at, std::uint32_t pe) {
    const std::uint64_t cycle = free_at >> sim::kTickBits;
    LACUNA_CHECK(cycle >= base_, "an element is free at {}, the wheel is at {}", cycle, base_);
    free_at_[pe] = free_at;
    if (cycle - base_ < kBuckets) {
      insert(cycle & (kBuckets - 1), pe);
    } else {
      push_far({free_at, pe});
    }
    if (empty() || earlier({free_at, pe}, front())) set_front(free_at, pe);
  }

  void pop() {
    base_ = front_at_ >> sim::kTickBits;
    if (!far_.empty() && far_.front().pe == front_pe_) {
      pop_far();
    } else {
      const std::size_t bucket = base_ & (kBuckets - 1);
      head_[bucket] = next_[front_pe_];
      if (head_[bucket] == kNone) {
        occupied_[bucket / 64] &= ~(std::uint64_t{1} << (bucket % 64));
        if (occupied_[bucket / 64] == 0) words_ &= ~(std::uint64_t{1} << (bucket / 64));
      }
    }
    find_front();
  }

  /// Nothing will be free before `now`: everything up to it has been taken out.
  void advance(sim::Ticks now) { base_ = std::max(base_, now >> sim::kTickBits); }

  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const std::uint32_t first : head_) {
      for (std::uint32_t pe = first; pe != kNone; pe = next_[pe]) visit(Element{free_at_[pe], pe});
    }
    for (const Element& element : far_) visit(element);
  }

 private:
  static constexpr std::size_t kBuckets = 4096;
  static constexpr std::uint32_t kNone = ~0U;

  static bool earlier(const Element& x, const Element& y) {
    return x.free_at != y.free_at ? x.free_at < y.free_at : x.pe < y.pe;
  }

  void insert(std::size_t bucket, std::uint32_t pe) {
    std::uint32_t* at = &head_[bucket];
    const Element element{free_at_[pe], pe};
    while (*at != kNone && earlier({free_at_[*at], *at}, element)) at = &next_[*at];
    next_[pe] = *at;
    *at = pe;
    occupied_[bucket / 64] |= std::uint64_t{1} << (bucket % 64);
    words_ |= std::uint64_t{1} << (bucket / 64);
  }

  void find_front() {
    front_pe_ = kNone;
    if (words_ != 0) {
      const std::size_t start = base_ & (kBuckets - 1);
      std::size_t word = start / 64;
      std::uint64_t bits = occupied_[word] & (~std::uint64_t{0} << (start % 64));
      if (bits == 0) {
        // The words behind this one, then from the beginning, this one's lower bits last.
        const std::uint64_t later = words_ & (~std::uint64_t{1} << word);
        word = static_cast<std::size_t>(std::countr_zero(later != 0 ? later : words_));
        bits = occupied_[word];
      }
      const std::uint32_t pe = head_[word * 64 + static_cast<std::size_t>(std::countr_zero(bits))];
      set_front(free_at_[pe], pe);
    }
    if (!far_.empty() && (empty() || earlier(far_.front(), front()))) {
      set_front(far_.front().free_at, far_.front().pe);
    }
  }

  void set_front(sim::Ticks free_at, std::uint32_t pe) {
    front_at_ = free_at;
    front_pe_ = pe;
  }

  void push_far(const Element& element);
  void pop_far();

  std::uint64_t base_ = 0;  // cycle; every element in the wheel is less than one turn ahead
  // Two members: read as one right after they were written, they would wait for the store buffer.
  sim::Ticks front_at_ = 0;
  std::uint32_t front_pe_ = kNone;
  std::uint64_t words_ = 0;  // which of occupied_ are not zero
  std::array<std::uint64_t, kBuckets / 64> occupied_{};
  std::vector<sim::Ticks> free_at_;
  std::vector<std::uint32_t> next_;  // in the same bucket
  std::vector<std::uint32_t> head_;
  std::vector<Element> far_;  // a heap: beyond one turn when they came
};

}  // namespace lacuna
