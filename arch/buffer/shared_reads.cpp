// SPDX-License-Identifier: Apache-2.0
#include "arch/buffer/shared_reads.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace lacuna {

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
  if (++copy_ < products_[product_].times) return;
  copy_ = 0;
  ++product_;
}

/// A reader fetches its tile, and what it cannot hold once more for each further walk.
void SharedReads::read(std::size_t cluster, std::uint64_t begin, std::uint64_t end) {
  const TileVisits& of = visits(cluster);
  const bool own = operand_.piece == 0 || cluster == cluster_;
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
  const std::uint64_t head = std::clamp(resident_, at, at + bytes) - at;
  const auto put = [&](std::uint64_t part, bool comes, bool gone) {
    if (part == 0) return;
    if (own) runs_.push_back({at_, part, comes, gone});
    if (comes) at_ += part;
  };
  put(head, first && pass_ == 0, last && pass_ + 1 == passes_);
  put(bytes - head, true, true);
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
