// SPDX-License-Identifier: Apache-2.0
// What clusters read of one operand from the level that they share, in which order, and where in
// the level's own stream of fetches each part of it comes: overbooking at a level whose readers are
// buffers. A tile that is too large keeps its head (Tailors; a buffet nothing); what is beyond it
// comes again for each reading. A cache keeps the lines that were read last.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "arch/buffer/residency.hpp"
#include "arch/memory/i_memory.hpp"
#include "arch/program/shared_program.hpp"

namespace lacuna {

/// What a cache makes of all readings of its lines, in their order: whether a line comes for a
/// reading, whether it has left before the next.
struct CacheTrace {
  std::vector<bool> comes, last;
};

/// One operand at a shared level.
struct SharedOperand {
  const TileVisits ArrayProduct::*visits;  // of the buffers inside
  std::uint64_t SharedBlock::*tile;        // of the level
  Residency inner, level;
  std::uint64_t room = 0;  // bytes of the level
  /// Bytes of each cluster in turn, where each reads a part of its own; 0: all read the same.
  std::uint64_t piece = 0;
  std::uint64_t line = 0, ways = 0;                   // of a cache; 0: no cache
  std::shared_ptr<const CacheTrace> cache = nullptr;  // see trace_cache()
};

class SharedReads {
 public:
  /// Contiguous bytes of a cluster's reading.
  struct Run {
    std::uint64_t at = 0;  // of the first byte in the level's stream
    std::uint64_t bytes = 0;
    bool comes = false;         // for this reading; otherwise it has been there
    bool last = false;          // it is not read again
    std::uint64_t address = 0;  // where the operand is stored, tile after tile as first read
    // Of a cache, where these bytes are in one line: its bytes, and where they end in the stream.
    std::uint64_t line = 0, line_end = 0;
  };

  /// `cluster`: whose readings; kAll: everyone's.
  static constexpr std::size_t kAll = ~std::size_t{0};
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
  void take_lines(std::uint64_t at, std::uint64_t bytes, bool own);

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
  // Where the copy's tiles begin among all that was read, how long this one is; of a cache, lines
  // and where they ended in the stream when they last came.
  std::map<std::uint64_t, std::uint64_t> bases_;
  std::uint64_t base_ = 0, tile_bytes_ = 0, next_base_ = 0, touches_ = 0;
  std::unordered_map<std::uint64_t, std::uint64_t> line_ends_;
  friend std::shared_ptr<const CacheTrace> trace_cache(const std::vector<SharedProduct>&,
                                                       const SharedOperand&);
  std::vector<std::uint64_t>* record_ = nullptr;  // lines as they are read, instead of runs
};

/// Readings of a cache's lines by all clusters. Throws InputError when they are more than are
/// taken.
[[nodiscard]] std::shared_ptr<const CacheTrace> trace_cache(
    const std::vector<SharedProduct>& products, const SharedOperand& operand);

/// What the level's stream fetches, in its order: for StreamModule::request_in().
[[nodiscard]] std::function<bool(AddressRange&)> fetch_order(
    const std::vector<SharedProduct>& products, const SharedOperand& operand);

/// Bytes that the level's stream fetches in all.
[[nodiscard]] std::uint64_t streamed_bytes(const std::vector<SharedProduct>& products,
                                           const SharedOperand& operand);

}  // namespace lacuna
