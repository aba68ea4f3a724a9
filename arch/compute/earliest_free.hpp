// SPDX-License-Identifier: Apache-2.0
// When each processing element is free, and which of them is free first: a tournament that is
// played only when that is asked.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>
#include <vector>

#include "sim/port.hpp"

namespace lacuna {

/// Elements 0..n-1 with the times from which they are free; a time is never set back.
///
/// The tournament holds times as they were when an element last took part, which are never later
/// than the true ones: a winner whose time is out of date plays again, one whose time is true is
/// the first of all. Setting a time costs a store, asking for the first a replay for each time that
/// was set since and could have won.
class EarliestFree {
 public:
  explicit EarliestFree(std::uint32_t elements)
      : free_at_(elements, 0), leaves_(std::bit_ceil(elements)), nodes_(2 * std::size_t{leaves_}) {
    for (std::uint32_t leaf = 0; leaf < leaves_; ++leaf) {
      nodes_[leaves_ + leaf] = {leaf < elements ? 0 : std::numeric_limits<sim::Ticks>::max(), leaf};
    }
    for (std::size_t node = leaves_ - 1; node >= 1; --node) play(node);
  }

  [[nodiscard]] sim::Ticks operator[](std::uint32_t element) const { return free_at_[element]; }
  void set(std::uint32_t element, sim::Ticks free_at) { free_at_[element] = free_at; }

  /// The element that is free first, the lowest of equals.
  [[nodiscard]] std::uint32_t first() {
    while (nodes_[1].free_at != free_at_[nodes_[1].element]) replay(nodes_[1].element);
    return nodes_[1].element;
  }

 private:
  struct Node {
    sim::Ticks free_at;
    std::uint32_t element;
  };

  void play(std::size_t node) {
    const Node& left = nodes_[2 * node];
    const Node& right = nodes_[2 * node + 1];
    nodes_[node] = right.free_at < left.free_at ? right : left;
  }
  void replay(std::uint32_t element) {
    std::size_t node = leaves_ + element;
    nodes_[node].free_at = free_at_[element];
    while ((node /= 2) >= 1) play(node);
  }

  std::vector<sim::Ticks> free_at_;
  std::uint32_t leaves_;     // a power of two
  std::vector<Node> nodes_;  // a heap's numbering: the winner at 1, leaves from leaves_ on
};

}  // namespace lacuna
