// SPDX-License-Identifier: Apache-2.0
// What of a tile a buffer keeps while the tile is walked several times in the same order, and where
// in the stream of fetched bytes each part of it lies: the one rule of overbooking.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "arch/program/array_program.hpp"
#include "arch/spec/machine_spec.hpp"

namespace lacuna {

/// What stays of a tile of `bytes` in `room` bytes while it is walked again: all of it when it fits
/// or there is no limit (room 0), otherwise room - window of Tailors and nothing of a buffet.
class Residency {
 public:
  Residency(BufferPolicy policy, Bytes window) : policy_(policy), window_(window.count()) {}
  explicit Residency(const FabricHolding& holding) : Residency(holding.policy, holding.window) {}

  [[nodiscard]] std::uint64_t resident(std::uint64_t bytes, std::uint64_t room) const;
  /// Likewise of expected sizes.
  [[nodiscard]] double resident(double bytes, double room) const;
  /// Whether a tile that overflows `room` can pass in pieces of `piece` bytes.
  [[nodiscard]] bool passes(double piece, double room) const;
  /// Bytes of the window through which the tail of an overbooked tile streams.
  [[nodiscard]] std::uint64_t window() const { return window_; }
  [[nodiscard]] bool overbooks() const { return policy_ == BufferPolicy::tailors; }

 private:
  BufferPolicy policy_;
  std::uint64_t window_;
};

/// A tile that is walked several times in the same order, its head resident, the rest coming again
/// (Tailors; a whole tile that fits has nothing else, a buffet's overflowing one no head).
/// Positions are bytes from the tile's start and from its first fetch in the stream. Fetched over r
/// walks: n + (r - 1)(n - (b - f)) when n > b, otherwise n (Tailors, section 3).
struct TileWalk {
  std::uint64_t bytes = 0, resident = 0, walks = 1;

  [[nodiscard]] std::uint64_t again() const { return (walks - 1) * (bytes - resident); }
  [[nodiscard]] std::uint64_t fetched() const { return bytes + again(); }
  /// How far the stream must have come to use the tile up to `end` in this walk.
  [[nodiscard]] std::uint64_t needed(std::uint64_t walk, std::uint64_t end) const {
    if (walk == 0) return end;
    return bytes + (walk - 1) * (bytes - resident) + (end > resident ? end - resident : 0);
  }
  /// Room given back by the use of [begin, end): the tail's at once, the head's in the last walk.
  [[nodiscard]] std::uint64_t released(std::uint64_t walk, std::uint64_t begin,
                                       std::uint64_t end) const {
    if (walk + 1 == walks) return end - begin;
    return std::max(end, resident) - std::max(begin, resident);
  }
};

/// Bytes that an operand's visits fetch.
struct FetchTotals {
  std::uint64_t bytes = 0;
  std::uint64_t again = 0;  // of these, the parts of tiles that their room could not hold
  std::uint64_t walks = 0;  // fetches of a tile, each of whole bytes
  std::uint64_t times = 0;  // that each byte is fetched, overflow apart
};

/// Throws InputError when a piece of an overbooked tile does not fit the window.
[[nodiscard]] FetchTotals fetch_totals(std::string_view machine, const TileVisits& visits,
                                       const Residency& residency);

/// Positions in an operand's stream of what one instruction after another uses.
class StreamPositions {
 public:
  explicit StreamPositions(const Residency& residency) : residency_(residency) {}

  struct Position {
    std::uint64_t needed = 0;   // must have arrived
    std::uint64_t release = 0;  // bytes not needed again afterwards
  };
  /// Uses come in the program's order.
  [[nodiscard]] Position of(const TileUse& use);

 private:
  Residency residency_;
  std::uint64_t visit_ = 0, base_ = 0;
  TileWalk walk_{0, 0, 1};
};

}  // namespace lacuna
