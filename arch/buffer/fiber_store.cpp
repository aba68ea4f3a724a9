// SPDX-License-Identifier: Apache-2.0
#include "arch/buffer/fiber_store.hpp"

#include <algorithm>
#include <bit>

#include "base/units.hpp"

namespace lacuna {
namespace {

void add(std::vector<AddressRange>& ranges, std::uint64_t& bytes, const AddressRange& range) {
  if (range.bytes == 0) return;
  bytes += range.bytes;
  if (!ranges.empty() && ranges.back().end() == range.address) {
    ranges.back().bytes += range.bytes;
  } else {
    ranges.push_back(range);
  }
}

}  // namespace

void FiberMoves::clear() {
  fetched.clear();
  written_back.clear();
  fetched_bytes = written_back_bytes = brought_by = lines = 0;
}

CachedFibers::CachedFibers(const FiberLevelSpec& level, Bytes capacity)
    : line_(level.line.count()),
      shift_(static_cast<unsigned>(std::countr_zero(line_))),
      cache_(capacity.count() / line_, level.ways) {
  LACUNA_CHECK(std::has_single_bit(line_) && line_ <= kCacheLineBytes, "a line of {} bytes", line_);
}

template <class Body>
void CachedFibers::each_line(const AddressRange& fiber, FiberMoves& moves, Body&& body) const {
  for (std::uint64_t at = fiber.address; at < fiber.end();) {
    const std::uint64_t first = at & (line_ - 1);
    const std::uint64_t bytes = std::min(line_ - first, fiber.end() - at);
    ++moves.lines;
    body(at >> shift_, (~std::uint64_t{0} >> (64 - bytes)) << first);
    at += bytes;
  }
}

void CachedFibers::add_bytes(std::vector<AddressRange>& ranges, std::uint64_t& sum,
                             std::uint64_t line, std::uint64_t bytes) const {
  for (std::uint64_t at = line << shift_; bytes != 0;) {
    const auto gap = static_cast<unsigned>(std::countr_zero(bytes));
    bytes >>= gap;
    const auto run = static_cast<unsigned>(std::countr_one(bytes));
    add(ranges, sum, {at + gap, run});
    at += gap + run;
    bytes = run == 64 ? 0 : bytes >> run;
  }
}

CachedFibers::Line& CachedFibers::use(std::uint64_t line, FiberMoves& moves) {
  const LruCache::Access access = cache_.use(line);
  if (access.slot == lines_.size()) lines_.emplace_back();
  Line& there = lines_[access.slot];
  if (access.evicted) {
    add_bytes(moves.written_back, moves.written_back_bytes, *access.evicted, there.dirty);
  }
  if (!access.hit) there = {};
  return there;
}

void CachedFibers::read(const AddressRange& fiber, std::uint64_t fetch, FiberMoves& moves) {
  each_line(fiber, moves, [&](std::uint64_t name, std::uint64_t bytes) {
    Line& line = use(name, moves);
    if ((line.there & bytes) != 0) moves.brought_by = std::max(moves.brought_by, line.brought_by);
    const std::uint64_t missing = bytes & ~line.there;
    if (missing == 0) return;
    line.there |= missing;
    line.brought_by = fetch;
    add_bytes(moves.fetched, moves.fetched_bytes, name, missing);
  });
}

void CachedFibers::take_out(const AddressRange& fiber, FiberMoves& moves) {
  each_line(fiber, moves, [&](std::uint64_t name, std::uint64_t bytes) {
    std::uint64_t missing = bytes;
    if (const auto slot = cache_.find(name)) {
      Line& line = lines_[*slot];
      missing &= ~line.there;
      line.there &= ~bytes;
      line.dirty &= ~bytes;
      if (line.there == 0) cache_.drop(name);
    }
    add_bytes(moves.fetched, moves.fetched_bytes, name, missing);
  });
}

void CachedFibers::put_in(const AddressRange& fiber, FiberMoves& moves) {
  each_line(fiber, moves, [&](std::uint64_t name, std::uint64_t bytes) {
    Line& line = use(name, moves);
    LACUNA_CHECK((line.there & bytes) == 0, "a partial output comes twice");
    line.there |= bytes;
    line.dirty |= bytes;
  });
}

TiledFibers::TiledFibers(const FiberLevelSpec& level, const std::vector<FiberBlock>& blocks,
                         std::uint64_t base)
    : residency_(level.policy, level.window),
      room_(level.room.count()),
      line_(level.line.count()),
      base_(base),
      blocks_(blocks) {
  if (level.holds_partials) {
    partials_ = std::make_unique<CachedFibers>(level, level.capacity - level.room);
  }
  if (!blocks_.empty()) begin_block();
}

void TiledFibers::begin_block() {
  there_.clear();
  held_ = 0;
  head_ = residency_.resident(blocks_[block_].bytes(), room_);
}

bool TiledFibers::of_block(std::uint64_t address) const {
  const auto within = [address](const StoredRange& range) {
    return address >= range.address && address < range.address + range.bytes;
  };
  return within(blocks_[block_].pointers) || within(blocks_[block_].nonzeros);
}

void TiledFibers::read(const AddressRange& fiber, std::uint64_t fetch, FiberMoves& moves) {
  moves.lines += ceil_div(fiber.bytes, line_);
  if (blocks_.empty()) {
    add(moves.fetched, moves.fetched_bytes, fiber);
    return;
  }
  const std::uint64_t address = fiber.address - base_;
  while (!of_block(address)) {
    LACUNA_CHECK(++block_ < blocks_.size(), "the fiber at {} is of an earlier tile", address);
    begin_block();
  }
  const FiberBlock& block = blocks_[block_];
  const bool pointer = address < block.pointers.address + block.pointers.bytes;
  const std::uint64_t at = pointer ? address - block.pointers.address
                                   : block.pointers.bytes + (address - block.nonzeros.address);
  const std::uint64_t stays = std::clamp(head_, at, at + fiber.bytes) - at;
  if (stays > 0) {
    const auto [found, is_new] = there_.try_emplace(at, fetch);
    if (is_new) {
      held_ += stays;
      add(moves.fetched, moves.fetched_bytes, {fiber.address, stays});
    } else {
      moves.brought_by = std::max(moves.brought_by, found->second);
    }
  }
  add(moves.fetched, moves.fetched_bytes, {fiber.address + stays, fiber.bytes - stays});
}

void TiledFibers::take_out(const AddressRange& fiber, FiberMoves& moves) {
  if (partials_) return partials_->take_out(fiber, moves);
  add(moves.fetched, moves.fetched_bytes, fiber);
}

void TiledFibers::put_in(const AddressRange& fiber, FiberMoves& moves) {
  if (partials_) return partials_->put_in(fiber, moves);
  add(moves.written_back, moves.written_back_bytes, fiber);
}

}  // namespace lacuna
