// SPDX-License-Identifier: Apache-2.0
#include "sparse_formats/microtiles.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/units.hpp"

namespace lacuna {
namespace {

constexpr std::uint32_t padded_list(std::uint32_t length, std::uint32_t bytes) {
  return 8 * ((length * bytes + 7) / 8);
}

/// Coordinates 0..at.
constexpr Mask128 up_to(unsigned at) {
  const auto low = [](unsigned count) { return ~std::uint64_t{0} >> (64 - count); };
  return at < 64 ? Mask128{low(at + 1), 0} : Mask128{~std::uint64_t{0}, low(at - 63)};
}

/// Adds `times` to the counts of all coordinates in `mask`, with planes as the bits of the counts.
void add_to_planes(std::vector<Mask128>& planes, const Mask128& mask, std::uint32_t times) {
  for (std::size_t bit = 0; times >> bit != 0; ++bit) {
    if (((times >> bit) & 1U) == 0) continue;
    Mask128 carry = mask;
    for (std::size_t plane = bit; !carry.empty(); ++plane) {
      if (planes.size() <= plane) planes.resize(plane + 1);
      Mask128& at = planes[plane];
      const Mask128 both{at.low & carry.low, at.high & carry.high};
      at.low ^= carry.low;
      at.high ^= carry.high;
      carry = both;
    }
  }
}

/// Collects the microtiles of one outer block, fiber by fiber.
class BlockBuilder {
 public:
  explicit BlockBuilder(Coordinate inner_blocks) : slot_(inner_blocks, kNone) {}

  void add_fiber(std::span<const Coordinate> coordinates, Coordinate inner) {
    for (std::size_t i = 0; i < coordinates.size();) {
      const Coordinate block = coordinates[i] / inner;
      Mask128 mask;
      std::uint32_t count = 0;
      for (; i < coordinates.size() && coordinates[i] / inner == block; ++i, ++count) {
        mask.insert(coordinates[i] % inner);
      }
      add(block, mask, count);
    }
  }

  template <class Emit>
  void finish(Emit&& emit) {
    std::sort(used_.begin(), used_.end());
    for (const Coordinate block : used_) {
      Building& building = pool_[slot_[block]];
      emit(block, building.masks, building.nnz, building.payload, building.across.count());
      slot_[block] = kNone;
    }
    used_.clear();
  }

 private:
  struct Building {
    std::vector<Mask128> masks;
    Mask128 across;
    std::uint32_t nnz = 0;
    std::uint32_t payload = 0;
  };
  static constexpr std::uint32_t kNone = ~0U;

  void add(Coordinate block, const Mask128& mask, std::uint32_t count) {
    if (slot_[block] == kNone) {
      slot_[block] = static_cast<std::uint32_t>(used_.size());
      if (pool_.size() == used_.size()) pool_.emplace_back();
      pool_[used_.size()].masks.clear();
      pool_[used_.size()].across = {};
      pool_[used_.size()].nnz = 0;
      pool_[used_.size()].payload = 0;
      used_.push_back(block);
    }
    Building& building = pool_[slot_[block]];
    building.masks.push_back(mask);
    building.across.low |= mask.low;
    building.across.high |= mask.high;
    building.nnz += count;
    building.payload += padded_list(count, 4) + 8 * count;
  }

  std::vector<std::uint32_t> slot_;  // inner block -> index into pool_
  std::vector<Coordinate> used_;
  std::vector<Building> pool_;
};

}  // namespace

MicrotileGrid::MicrotileGrid(const CsrMatrix& matrix, MicrotileShape shape)
    : shape_(shape),
      outer_blocks_(static_cast<Coordinate>(ceil_div(matrix.rows, shape.outer))),
      inner_blocks_(static_cast<Coordinate>(ceil_div(matrix.cols, shape.inner))),
      nnz_(matrix.nnz()) {
  LACUNA_CHECK(
      shape.inner >= 1 && shape.inner <= kMaxFiber && shape.outer >= 1 && shape.outer <= 65535,
      "microtile {} x {}", shape.outer, shape.inner);
  offsets_.reserve(std::size_t{outer_blocks_} + 1);
  offsets_.push_back(0);
  BlockBuilder builder(inner_blocks_);
  std::vector<Mask128> single_planes, cover_planes;
  const auto emit = [&](Coordinate block, std::vector<Mask128>& masks, std::uint32_t nnz,
                        std::uint32_t payload, unsigned across) {
    Microtile tile;
    tile.inner_block = block;
    tile.nnz = nnz;
    tile.outer_fibers = static_cast<std::uint16_t>(masks.size());
    tile.inner_fibers = static_cast<std::uint16_t>(across);
    tile.padded_payload = 2 * padded_list(static_cast<std::uint32_t>(masks.size()), 4) + payload;
    tile.group_begin = static_cast<std::uint32_t>(groups_.size());
    tile.single_begin = static_cast<std::uint32_t>(singles_.size());
    tile.plane_begin = static_cast<std::uint32_t>(planes_.size());
    single_planes.clear();
    cover_planes.clear();
    std::sort(masks.begin(), masks.end());
    for (std::size_t i = 0; i < masks.size();) {
      std::size_t end = i + 1;
      while (end < masks.size() && masks[end] == masks[i]) ++end;
      const auto times = static_cast<std::uint32_t>(end - i);
      const unsigned first = masks[i].first();
      if (masks[i].count() == 1) {
        tile.single_fibers = static_cast<std::uint16_t>(tile.single_fibers + times);
        singles_.push_back({static_cast<std::uint16_t>(first), static_cast<std::uint16_t>(times)});
        add_to_planes(single_planes, masks[i], times);
      } else {
        const unsigned last = masks[i].last();
        groups_.push_back(
            {masks[i], times, static_cast<std::uint8_t>(first), static_cast<std::uint8_t>(last)});
        const Mask128 before = up_to(first);
        const Mask128 until = up_to(last);
        add_to_planes(cover_planes, {until.low & ~before.low, until.high & ~before.high}, times);
      }
      i = end;
    }
    tile.groups = static_cast<std::uint16_t>(groups_.size() - tile.group_begin);
    tile.singles = static_cast<std::uint16_t>(singles_.size() - tile.single_begin);
    tile.single_planes = static_cast<std::uint8_t>(single_planes.size());
    tile.cover_planes = static_cast<std::uint8_t>(cover_planes.size());
    planes_.insert(planes_.end(), single_planes.begin(), single_planes.end());
    planes_.insert(planes_.end(), cover_planes.begin(), cover_planes.end());
    tiles_.push_back(tile);
  };
  for (Coordinate block = 0; block < outer_blocks_; ++block) {
    stop_if_requested();
    const Coordinate begin = block * shape.outer;
    const Coordinate end = std::min(matrix.rows, begin + shape.outer);
    for (Coordinate row = begin; row < end; ++row) {
      builder.add_fiber(matrix.cols_of(row), shape.inner);
    }
    builder.finish(emit);
    offsets_.push_back(tiles_.size());
  }
  LACUNA_CHECK(groups_.size() < ~0U && singles_.size() < ~0U && planes_.size() < ~0U,
               "too many fibers for 32-bit indices");
}

std::span<const Microtile> MicrotileGrid::list(Coordinate outer_block, Coordinate first,
                                               Coordinate last) const {
  const auto whole = list(outer_block);
  const auto below = [](const Microtile& tile, Coordinate block) {
    return tile.inner_block < block;
  };
  const auto from = std::lower_bound(whole.begin(), whole.end(), first, below);
  const auto to = std::lower_bound(from, whole.end(), last, below);
  return {from, to};
}

}  // namespace lacuna
