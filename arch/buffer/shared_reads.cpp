// SPDX-License-Identifier: Apache-2.0
#include "arch/buffer/shared_reads.hpp"

#include <algorithm>

#include "arch/buffer/lru_cache.hpp"
#include "base/error.hpp"

namespace lacuna {
namespace {

constexpr std::size_t kMostTouches = 50'000'000;  // readings of lines: half a GB and some seconds

}  // namespace

const TileVisits& SharedReads::visits(std::size_t cluster) const {
  return (*products_[product_].blocks[block_].of_cluster[cluster]).*operand_.visits;
}

std::size_t SharedReads::readers() const {
  return operand_.piece == 0 ? 1 : products_[product_].blocks[block_].of_cluster.size();
}

bool SharedReads::next(Run& run) {
  while (runs_.empty()) {
    if (product_ == products_.size()) return false;
    step();
  }
  run = runs_.front();
  runs_.pop_front();
  return true;
}

/// Of the blocks that follow each other with one tile.
void SharedReads::open_tile() {
  const auto& blocks = products_[product_].blocks;
  pass_ = passes_ = items_before_ = 0;
  for (std::size_t i = block_; i < blocks.size(); ++i) {
    if (blocks[i].*operand_.tile != blocks[block_].*operand_.tile) break;
    passes_ += ((*blocks[i].of_cluster[0]).*operand_.visits).walks.size();
  }
  std::uint64_t bytes = 0;
  for (std::size_t c = 0; c < readers(); ++c) {
    for (const std::uint64_t of_item : visits(c).bytes) bytes += of_item;
  }
  resident_ = operand_.level.resident(bytes, operand_.room);
  const std::uint64_t line = std::max<std::uint64_t>(1, operand_.line);
  const auto [base, is_new] = bases_.try_emplace(blocks[block_].*operand_.tile, next_base_);
  base_ = base->second;
  tile_bytes_ = bytes;
  if (is_new) next_base_ += ceil_div(bytes, line) * line;
}

/// A walk over one tile of each buffer inside; readers take turns.
void SharedReads::step() {
  if (pass_ == passes_) open_tile();
  std::uint64_t most = 0;
  for (std::size_t c = 0; c < readers() && passes_ > 0; ++c) {
    LACUNA_CHECK(visits(c).bytes.size() == visits(0).bytes.size() &&
                     visits(c).walks.size() == visits(0).walks.size(),
                 "clusters walk {} and {} tiles", visits(c).bytes.size(), visits(0).bytes.size());
    most = std::max(most, visits(c).bytes[item_]);
  }
  const std::uint64_t piece =
      operand_.piece == 0 ? std::max<std::uint64_t>(1, most) : operand_.piece;
  from_start_ = items_before_;
  overflows_ = false;
  for (std::uint64_t begin = 0; begin < most; begin += piece) {
    for (std::size_t c = 0; c < readers(); ++c) {
      const std::uint64_t bytes = visits(c).bytes[item_];
      if (begin < bytes) read(c, begin, std::min(bytes, begin + piece));
    }
  }
  advance();
}

void SharedReads::advance() {
  const TileVisits& lead = visits(0);
  if (overflows_ && ++again_ < lead.walks[walk_]) return;
  again_ = 0;
  items_before_ = from_start_;
  if (++item_ < lead.bytes.size()) return;
  item_ = 0;
  items_before_ = 0;
  if (passes_ > 0) ++pass_;
  if (++walk_ < lead.walks.size()) return;
  walk_ = 0;
  if (++block_ < products_[product_].blocks.size()) return;
  block_ = 0;
  pass_ = passes_ = 0;
  bases_.clear();  // another copy has other values
  if (++copy_ < products_[product_].times) return;
  copy_ = 0;
  ++product_;
}

/// A reader fetches its tile, and what it cannot hold once more for each further walk.
void SharedReads::read(std::size_t cluster, std::uint64_t begin, std::uint64_t end) {
  const TileVisits& of = visits(cluster);
  const bool own = operand_.piece == 0 || cluster == cluster_ || cluster_ == kAll;
  const std::uint64_t held = of.stays ? operand_.inner.resident(of.bytes[item_], of.room) : 0;
  const std::uint64_t border = std::clamp(held, begin, end);
  const bool last = again_ + 1 == of.walks[walk_];
  overflows_ = overflows_ || held < of.bytes[item_];
  if (again_ == 0) take(from_start_, border - begin, true, true, own);
  take(from_start_ + (border - begin), end - border, again_ == 0, last, own);
  from_start_ += end - begin;
}

/// `first`, `last`: of the readings of these bytes in this pass.
void SharedReads::take(std::uint64_t at, std::uint64_t bytes, bool first, bool last, bool own) {
  if (operand_.line > 0) return take_lines(at, bytes, own);
  const std::uint64_t head = std::clamp(resident_, at, at + bytes) - at;
  const auto put = [&](std::uint64_t from, std::uint64_t part, bool comes, bool gone) {
    if (part == 0) return;
    if (own) runs_.push_back({at_, part, comes, gone, base_ + from});
    if (comes) at_ += part;
  };
  put(at, head, first && pass_ == 0, last && pass_ + 1 == passes_);
  put(at + head, bytes - head, true, true);
}

/// Line by line, as the trace says.
void SharedReads::take_lines(std::uint64_t at, std::uint64_t bytes, bool own) {
  for (const std::uint64_t end = at + bytes; at < end;) {
    const std::uint64_t in_tile = at / operand_.line * operand_.line;
    const std::uint64_t line_bytes = std::min(operand_.line, tile_bytes_ - in_tile);
    const std::uint64_t part = std::min(end, in_tile + line_bytes) - at;
    const std::uint64_t line = (base_ + in_tile) / operand_.line;
    at += part;
    if (record_ != nullptr) {
      if (record_->size() >= kMostTouches) {
        throw InputError(
            fmt::format("a cache whose lines are read more than {} times", kMostTouches),
            "longer lines, or another policy");
      }
      record_->push_back(line);
      continue;
    }
    const bool comes = operand_.cache->comes[touches_], last = operand_.cache->last[touches_];
    ++touches_;
    std::uint64_t& line_end = line_ends_[line];
    if (comes) line_end = at_ += line_bytes;
    if (own) runs_.push_back({at_, part, comes, last, base_ + in_tile, line_bytes, line_end});
    if (last) line_ends_.erase(line);
  }
}

std::shared_ptr<const CacheTrace> trace_cache(const std::vector<SharedProduct>& products,
                                              const SharedOperand& operand) {
  std::vector<std::uint64_t> lines;
  SharedReads reads(products, operand, 0);
  reads.record_ = &lines;
  SharedReads::Run run;
  while (reads.next(run)) {
  }
  auto trace = std::make_shared<CacheTrace>();
  trace->comes.resize(lines.size());
  trace->last.resize(lines.size());
  LruCache cache(std::max<std::uint64_t>(1, operand.room / operand.line), operand.ways);
  std::unordered_map<std::uint64_t, std::size_t> last_read;  // of the lines that are there
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const LruCache::Access access = cache.use(lines[i]);
    trace->comes[i] = !access.hit;
    if (access.evicted) {
      trace->last[last_read.at(*access.evicted)] = true;
      last_read.erase(*access.evicted);
    }
    last_read[lines[i]] = i;
  }
  for (const auto& [line, at] : last_read) trace->last[at] = true;
  return trace;
}

std::function<bool(AddressRange&)> fetch_order(const std::vector<SharedProduct>& products,
                                               const SharedOperand& operand) {
  auto reads = std::make_shared<SharedReads>(products, operand, SharedReads::kAll);
  return [reads](AddressRange& range) {
    SharedReads::Run run;
    while (reads->next(run)) {
      if (!run.comes) continue;
      range = {run.address, run.line > 0 ? run.line : run.bytes};
      return true;
    }
    return false;
  };
}

std::uint64_t streamed_bytes(const std::vector<SharedProduct>& products,
                             const SharedOperand& operand) {
  SharedReads reads(products, operand, 0);
  SharedReads::Run run;
  while (reads.next(run)) {
  }
  return reads.streamed();
}

}  // namespace lacuna
