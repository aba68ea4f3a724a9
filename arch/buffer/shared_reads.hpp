// SPDX-License-Identifier: Apache-2.0
// What clusters read of one operand from the level that they share, in which order, and where in
// the level's own stream of fetches each part of it comes: overbooking at a level whose readers are
// buffers. A tile that is too large keeps its head (Tailors; a buffet nothing); what is beyond it
// comes again for each reading.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "arch/buffer/residency.hpp"
#include "arch/program/shared_program.hpp"

namespace lacuna {

/// One operand at a shared level.
struct SharedOperand {
  const TileVisits ArrayProduct::*visits;  // of the buffers inside
  std::uint64_t SharedBlock::*tile;        // of the level
  Residency inner, level;
  std::uint64_t room = 0;  // bytes of the level
  /// Bytes of each cluster in turn, where each reads a part of its own; 0: all read the same.
  std::uint64_t piece = 0;
};

class SharedReads {
 public:
  /// Contiguous bytes of a cluster's reading.
  struct Run {
    std::uint64_t at = 0;  // of the first byte in the level's stream
    std::uint64_t bytes = 0;
    bool comes = false;  // for this reading; otherwise it has been there
    bool last = false;   // it is not read again
  };

  SharedReads(const std::vector<SharedProduct>& products, const SharedOperand& operand,
              std::size_t cluster)
      : products_(products), operand_(operand), cluster_(cluster) {}

  /// In the cluster's order; false after the last.
  bool next(Run& run);
  /// Bytes of the level's stream up to here: after the last run, of all of it.
  [[nodiscard]] std::uint64_t streamed() const { return at_; }

 private:
  [[nodiscard]] const TileVisits& visits(std::size_t cluster) const;
  [[nodiscard]] std::size_t readers() const;
  void open_tile();
  void step();
  void advance();
  /// The part of a reader's tile that comes in one turn: bytes from the tile's start.
  void read(std::size_t cluster, std::uint64_t begin, std::uint64_t end);
  void take(std::uint64_t at, std::uint64_t bytes, bool first, bool last, bool own);

  const std::vector<SharedProduct>& products_;
  SharedOperand operand_;
  std::size_t cluster_;
  std::deque<Run> runs_;
  std::size_t product_ = 0, block_ = 0, walk_ = 0, item_ = 0;
  std::uint64_t copy_ = 0;
  std::uint64_t again_ = 0;              // of the walks over an item
  bool overflows_ = false;               // some reader's room: each walk brings some of it again
  std::uint64_t resident_ = 0;           // bytes of the tile's head
  std::uint64_t pass_ = 0, passes_ = 0;  // over the tile
  std::uint64_t items_before_ = 0;       // bytes of the tile
  std::uint64_t from_start_ = 0;         // of the tile, of what is read next
  std::uint64_t at_ = 0;
};

/// Bytes that the level's stream fetches in all.
[[nodiscard]] std::uint64_t streamed_bytes(const std::vector<SharedProduct>& products,
                                           const SharedOperand& operand);

}  // namespace lacuna
