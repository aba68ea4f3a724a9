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

CachedFibers::CachedFibers(const FiberLevelSpec& level)
    : line_(level.line.count()),
      cache_(level.capacity.count() / line_, level.ways,
             static_cast<unsigned>(std::countr_zero(line_))) {
  LACUNA_CHECK(std::has_single_bit(line_), "a line of {} bytes", line_);
}

LruCache::Access CachedFibers::use(std::uint64_t line, FiberMoves& moves) {
  const LruCache::Access access = cache_.use(line);
  if (access.slot == lines_.size()) lines_.emplace_back();
  ++moves.lines;
  if (access.evicted) {
    AddressRange& dirty = lines_[access.slot].dirty;
    add(moves.written_back, moves.written_back_bytes, dirty);
    dirty = {};
  }
  return access;
}

void CachedFibers::read(const AddressRange& fiber, std::uint64_t fetch, FiberMoves& moves) {
  for (std::uint64_t at = 0; at < fiber.bytes; at += line_) {
    const LruCache::Access access = use(fiber.address + at, moves);
    Line& line = lines_[access.slot];
    if (access.hit) {
      moves.brought_by = std::max(moves.brought_by, line.brought_by);
      continue;
    }
    line.brought_by = fetch;
    add(moves.fetched, moves.fetched_bytes,
        {fiber.address + at, std::min(line_, fiber.bytes - at)});
  }
}

void CachedFibers::take_out(const AddressRange& fiber, FiberMoves& moves) {
  for (std::uint64_t at = 0; at < fiber.bytes; at += line_) {
    const std::uint64_t line = fiber.address + at;
    if (const auto slot = cache_.find(line)) {
      ++moves.lines;
      lines_[*slot].dirty = {};
      cache_.drop(line);
      continue;
    }
    add(moves.fetched, moves.fetched_bytes,
        {fiber.address + at, std::min(line_, fiber.bytes - at)});
  }
}

void CachedFibers::put_in(const AddressRange& fiber, FiberMoves& moves) {
  for (std::uint64_t at = 0; at < fiber.bytes; at += line_) {
    const LruCache::Access access = use(fiber.address + at, moves);
    LACUNA_CHECK(!access.hit, "a partial output comes twice");
    lines_[access.slot] = {0, {fiber.address + at, std::min(line_, fiber.bytes - at)}};
  }
}

TiledFibers::TiledFibers(const FiberLevelSpec& level, std::vector<AddressRange> blocks)
    : residency_(level.policy, level.window),
      room_(level.room.count()),
      line_(level.line.count()),
      blocks_(std::move(blocks)) {
  if (blocks_.empty()) return;
  head_end_ = blocks_[0].address + residency_.resident(blocks_[0].bytes, room_);
}

void TiledFibers::read(const AddressRange& fiber, std::uint64_t fetch, FiberMoves& moves) {
  moves.lines += ceil_div(fiber.bytes, line_);
  if (blocks_.empty()) {
    add(moves.fetched, moves.fetched_bytes, fiber);
    return;
  }
  while (fiber.address >= blocks_[block_].end()) {
    ++block_;
    there_.clear();
    held_ = 0;
    head_end_ = blocks_[block_].address + residency_.resident(blocks_[block_].bytes, room_);
  }
  LACUNA_CHECK(fiber.address >= blocks_[block_].address && block_ < blocks_.size(),
               "the fiber at {} is of an earlier tile", fiber.address);
  const std::uint64_t border = std::clamp(head_end_, fiber.address, fiber.end());
  if (border > fiber.address) {
    const auto [found, is_new] = there_.try_emplace(fiber.address, fetch);
    if (is_new) {
      held_ += border - fiber.address;
      add(moves.fetched, moves.fetched_bytes, {fiber.address, border - fiber.address});
    } else {
      moves.brought_by = std::max(moves.brought_by, found->second);
    }
  }
  add(moves.fetched, moves.fetched_bytes, {border, fiber.end() - border});
}

void TiledFibers::take_out(const AddressRange& fiber, FiberMoves& moves) {
  add(moves.fetched, moves.fetched_bytes, fiber);  // partial outputs pass by
}

void TiledFibers::put_in(const AddressRange& fiber, FiberMoves& moves) {
  add(moves.written_back, moves.written_back_bytes, fiber);
}

}  // namespace lacuna
