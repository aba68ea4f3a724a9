// SPDX-License-Identifier: Apache-2.0
// The banks of a buffer, lines of it in turn: line i lies in bank i mod banks. A bank gives or
// takes one line in a cycle, whoever asks: operands, fills, outputs, partial sums. An access is a
// run of lines that pass a port evenly from one time to another; a line whose bank is taken in its
// cycle takes the bank's next free one, and the access ends so much later as its lines do. What an
// access finds taken is what was booked before it: of two that want a cycle the first to ask has
// it.
//
// Clients are taken to be streams, each line behind the last one's: the best that a placement of
// tiles does. Lines that wait are held by a queue as long as it takes.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "sim/port.hpp"

namespace lacuna {

class BufferBanks {
 public:
  BufferBanks(std::uint64_t banks, std::uint64_t line_bytes);

  /// Where a client's next access begins, in bytes.
  using Place = std::uint64_t;
  /// Bytes that would pass from `from` to `to`: when the last of them has. Without a conflict `to`.
  sim::Ticks access(Place& place, sim::Ticks from, sim::Ticks to, std::uint64_t bytes);
  /// Nobody asks any more for cycles long before this one.
  void forget(Cycles now);

  [[nodiscard]] std::uint64_t banks() const { return taken_.size(); }
  [[nodiscard]] std::uint64_t lines() const { return lines_; }
  [[nodiscard]] std::uint64_t accesses() const { return accesses_; }
  [[nodiscard]] std::uint64_t conflicts() const { return conflicts_; }  // lines that waited
  [[nodiscard]] std::uint64_t waited() const { return waited_; }        // cycles, of all lines

 private:
  /// The first cycle from `wanted` on in which the bank is free; it is taken then.
  std::uint64_t take(std::uint64_t bank, std::uint64_t wanted);

  std::uint64_t line_bytes_;
  std::uint64_t begin_ = 0;                       // first word that is remembered
  std::vector<std::deque<std::uint64_t>> taken_;  // of each bank, a bit for a cycle
  std::uint64_t lines_ = 0, accesses_ = 0, conflicts_ = 0, waited_ = 0;
};

}  // namespace lacuna
