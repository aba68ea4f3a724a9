// SPDX-License-Identifier: Apache-2.0
// A bounded channel between units: the only way they meet. A full channel blocks its writer, an
// empty one its reader; capacity is enforced in release builds. Under stall injection an item
// becomes visible some cycles late, in order, which must never change a functional result.
#pragma once

#include <deque>
#include <string>
#include <utility>

#include "sim/simulation.hpp"

namespace lacuna::sim {

template <class T>
class Channel {
 public:
  Channel(Simulation& simulation, std::string name, std::size_t capacity)
      : simulation_(simulation),
        name_(std::move(name)),
        capacity_(capacity),
        written_((name_ + "_written").c_str()),
        read_((name_ + "_read").c_str()) {
    LACUNA_CHECK(capacity >= 1, "channel {} has no capacity", name_);
  }

  [[nodiscard]] bool full() const { return items_.size() >= capacity_; }
  [[nodiscard]] std::size_t size() const { return items_.size(); }
  void push(T item) {
    LACUNA_CHECK(!full(), "channel {} overfilled", name_);
    Cycles visible = simulation_.now() + simulation_.stall();
    if (!items_.empty() && items_.back().first > visible) visible = items_.back().first;
    items_.emplace_back(visible, std::move(item));
    simulation_.at(visible, written_);
  }
  /// An item that has become visible is waiting.
  [[nodiscard]] bool ready() {
    if (items_.empty()) return false;
    if (items_.front().first <= simulation_.now()) return true;
    simulation_.at(items_.front().first, written_);
    return false;
  }
  [[nodiscard]] T& front() { return items_.front().second; }
  T pop() {
    T item = std::move(items_.front().second);
    items_.pop_front();
    read_.notify(sc_core::SC_ZERO_TIME);
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
  std::deque<std::pair<Cycles, T>> items_;
  sc_core::sc_event written_;
  sc_core::sc_event read_;
};

}  // namespace lacuna::sim
