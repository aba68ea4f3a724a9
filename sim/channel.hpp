// SPDX-License-Identifier: Apache-2.0
// A bounded channel from one unit to another. A full channel blocks its writer, an empty one its
// reader; capacity is enforced in release builds. Each side sees what the other did from the next
// delta on (sim/registered.hpp). Under stall injection an item becomes visible some cycles late, in
// order, which must never change a functional result.
#pragma once

#include <deque>
#include <string>
#include <utility>

#include "sim/registered.hpp"
#include "sim/simulation.hpp"
#include "sim/stall.hpp"

namespace lacuna::sim {

template <class T>
class Channel {
 public:
  Channel(Simulation& simulation, std::string name, std::size_t capacity)
      : simulation_(simulation),
        name_(std::move(name)),
        capacity_(capacity),
        stalls_(simulation, name_),
        written_((name_ + "_written").c_str()),
        read_((name_ + "_read").c_str()) {
    LACUNA_CHECK(capacity >= 1, "channel {} has no capacity", name_);
  }

  /// For the writer.
  [[nodiscard]] bool full() const { return size() >= capacity_; }
  [[nodiscard]] std::size_t size() const { return pushed_.latest() - popped_.seen(); }
  void push(T item) {
    LACUNA_CHECK(!full(), "channel {} overfilled", name_);
    Cycles visible = simulation_.now() + stalls_.next();
    if (!items_.empty() && items_.back().first > visible) visible = items_.back().first;
    items_.emplace_back(visible, std::move(item));
    pushed_.add(1);
    simulation_.at(visible, written_);
  }
  /// For the reader: an item that has become visible is waiting.
  [[nodiscard]] bool ready() {
    if (pushed_.seen() == popped_.latest()) return false;
    if (items_.front().first <= simulation_.now()) return true;
    simulation_.at(items_.front().first, written_);
    return false;
  }
  [[nodiscard]] T& front() { return items_.front().second; }
  T pop() {
    T item = std::move(items_.front().second);
    items_.pop_front();
    popped_.add(1);
    simulation_.wake(read_);
    return item;
  }
  /// An item may have become visible; space may have been freed.
  [[nodiscard]] sc_core::sc_event& written() { return written_; }
  [[nodiscard]] sc_core::sc_event& freed() { return read_; }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  Simulation& simulation_;
  std::string name_;
  std::size_t capacity_;
  StallSource stalls_;
  std::deque<std::pair<Cycles, T>> items_;
  Registered<std::size_t> pushed_, popped_;
  sc_core::sc_event written_;
  sc_core::sc_event read_;
};

}  // namespace lacuna::sim
