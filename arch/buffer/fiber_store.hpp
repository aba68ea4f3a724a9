// SPDX-License-Identifier: Apache-2.0
// What a level keeps of the fibers that pass through it, without time: which bytes of a fiber that
// is asked for are there, which have to come from memory, and what has to leave for them. One
// implementation for each policy.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "arch/buffer/lru_cache.hpp"
#include "arch/buffer/residency.hpp"
#include "arch/memory/i_memory.hpp"
#include "arch/program/rowwise_program.hpp"
#include "arch/spec/rowwise_spec.hpp"

namespace lacuna {

/// Bytes of one fiber that move between a level and memory, in the order of their addresses, those
/// that follow each other as one range.
struct FiberMoves {
  std::vector<AddressRange> fetched;  // missing, for the request at hand
  std::uint64_t fetched_bytes = 0;
  std::vector<AddressRange> written_back;  // partial outputs that had to leave
  std::uint64_t written_back_bytes = 0;
  /// Of the bytes that were there: the latest fetch that brings, or brought, some of them.
  std::uint64_t brought_by = 0;
  std::uint64_t lines = 0;  // of the array that were read or written

  void clear();
};

class IFiberStore {
 public:
  virtual ~IFiberStore() = default;
  /// The whole of a fiber is read. What is missing comes with the fetch of this number (from 1 on).
  virtual void read(const AddressRange& fiber, std::uint64_t fetch, FiberMoves& moves) = 0;
  /// A partial output is read and not needed again.
  virtual void take_out(const AddressRange& fiber, FiberMoves& moves) = 0;
  /// A partial output comes in.
  virtual void put_in(const AddressRange& fiber, FiberMoves& moves) = 0;
  [[nodiscard]] virtual std::uint64_t held() const = 0;  // bytes
};

/// A cache of lines of at most 64 bytes. A line knows which of its bytes it has: a miss fetches
/// those of the fiber at hand alone, and fibers side by side share a line.
class CachedFibers final : public IFiberStore {
 public:
  /// In `capacity` of the level.
  CachedFibers(const FiberLevelSpec& level, Bytes capacity);
  void read(const AddressRange& fiber, std::uint64_t fetch, FiberMoves& moves) override;
  void take_out(const AddressRange& fiber, FiberMoves& moves) override;
  void put_in(const AddressRange& fiber, FiberMoves& moves) override;
  [[nodiscard]] std::uint64_t held() const override { return cache_.there() * line_; }

 private:
  struct Line {
    std::uint64_t brought_by = 0;
    std::uint64_t there = 0, dirty = 0;  // a bit for each byte; dirty: memory does not have it
  };
  template <class Body>
  void each_line(const AddressRange& fiber, FiberMoves& moves, Body&& body) const;
  Line& use(std::uint64_t line, FiberMoves& moves);
  /// Adds the bytes of a line as ranges.
  void add_bytes(std::vector<AddressRange>& ranges, std::uint64_t& sum, std::uint64_t line,
                 std::uint64_t bytes) const;

  std::uint64_t line_;
  unsigned shift_;  // log2 of it
  LruCache cache_;
  std::vector<Line> lines_;  // by slot
};

/// Tiles, each a block of fibers, their pointers before their nonzeros: what stays of one
/// (residency.hpp) is fetched when it is first used and kept until the next tile begins, the rest
/// comes again with every use. Without blocks a fiber is a tile of its own, used once. Partial
/// outputs are cached in the room that the tiles leave, or pass by.
class TiledFibers final : public IFiberStore {
 public:
  /// `base`: address of the follower's first byte.
  TiledFibers(const FiberLevelSpec& level, const std::vector<FiberBlock>& blocks,
              std::uint64_t base);
  void read(const AddressRange& fiber, std::uint64_t fetch, FiberMoves& moves) override;
  void take_out(const AddressRange& fiber, FiberMoves& moves) override;
  void put_in(const AddressRange& fiber, FiberMoves& moves) override;
  [[nodiscard]] std::uint64_t held() const override {
    return held_ + (partials_ ? partials_->held() : 0);
  }

 private:
  [[nodiscard]] bool of_block(std::uint64_t address) const;
  void begin_block();
  Residency residency_;
  std::uint64_t room_, line_, base_;
  std::vector<FiberBlock> blocks_;
  std::size_t block_ = 0;
  std::uint64_t head_ = 0;  // bytes of the tile that stay
  std::uint64_t held_ = 0;
  std::unique_ptr<CachedFibers> partials_;
  std::unordered_map<std::uint64_t, std::uint64_t> there_;  // of the head: fiber -> its fetch
};

}  // namespace lacuna
