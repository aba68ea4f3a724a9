// SPDX-License-Identifier: Apache-2.0
#include "dataflows/tile_sums.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/units.hpp"
#include "dataflows/fiber_layout.hpp"

namespace lacuna {

TileSums::TileSums(const CsrMatrix& leader, const CsrMatrix& follower, const RowwiseSpec& machine)
    : RowwiseProgram(leader, follower),
      leader_format_(machine.leader()),
      follower_format_(machine.follower()),
      z_(machine.z),
      tiles_(machine.tiles),
      room_(machine.elements.follower_room ? machine.elements.follower_room->count() : 0) {
  LACUNA_CHECK(leader.cols == follower.rows, "{} columns for {} fibers", leader.cols,
               follower.rows);
  const auto whole = [](std::uint64_t& size, std::uint64_t extent) {
    size = std::max<std::uint64_t>(1, size == 0 ? extent : std::min(size, extent));
  };
  whole(tiles_.fibers, follower.rows);
  whole(tiles_.leader_rows, leader.rows);
  whole(tiles_.follower_part, follower.cols);
  parts_ = ceil_div(follower.cols, tiles_.follower_part);
  row_tiles_ = ceil_div(leader.rows, tiles_.leader_rows);
  fiber_tiles_ = ceil_div(follower.rows, tiles_.fibers);
  done_ = parts_ == 0 || row_tiles_ == 0;
  seen_.assign(tiles_.leader_rows * tiles_.follower_part, 0);
  if (done_) return;
  begin_part();
  begin_rows();
}

std::span<const Coordinate> TileSums::part_of(Coordinate k) const {
  const auto fiber = follower_.cols_of(k);
  const std::uint64_t first = part_ * tiles_.follower_part;
  const auto begin = std::lower_bound(fiber.begin(), fiber.end(), first);
  const auto end = std::lower_bound(begin, fiber.end(), first + tiles_.follower_part);
  return {begin, end};
}

/// Of the part at hand; tiles without a nonzero take no room.
std::uint64_t TileSums::tile_bytes(std::uint64_t block) const {
  const auto first = static_cast<Coordinate>(block * tiles_.fibers);
  const auto end =
      static_cast<Coordinate>(std::min<std::uint64_t>(follower_.rows, (block + 1) * tiles_.fibers));
  std::uint64_t stored = 0;
  for (Coordinate k = first; k < end; ++k) {
    stored += stored_nonzeros(follower_format_,
                              static_cast<Coordinate>(part_ * tiles_.follower_part), part_of(k));
  }
  if (stored == 0) return 0;
  // Offsets stand between the fibers and at both ends.
  const std::uint64_t offsets = std::uint64_t{end} - first + 1;
  return (offsets * follower_format_.pointer_bits + stored * follower_format_.nonzero_bits() + 7) /
         8;
}

void TileSums::begin_part() {
  if (part_in_tiles_ == part_) return;
  part_in_tiles_ = part_;
  part_tiles_.clear();
  for (std::uint64_t block = 0; block < fiber_tiles_; ++block) {
    const std::uint64_t bytes = tile_bytes(block);
    part_tiles_.push_back({follower_at_, bytes});
    follower_at_ += bytes;
    if (room_ > 0 && bytes > room_ && row_tile_ == 0) ++totals_.overflowing_tiles;
  }
  if (part_ + 1 == parts_) follower_at_ = 0;  // what comes again lies where it lay
}

/// The steps of the rows at hand. Their tiles lie behind each other.
void TileSums::begin_rows() {
  steps_.clear();
  step_ = 0;
  ++visit_;
  const auto first = static_cast<Coordinate>(row_tile_ * tiles_.leader_rows);
  const auto end = static_cast<Coordinate>(
      std::min<std::uint64_t>(leader_.rows, (row_tile_ + 1) * tiles_.leader_rows));
  std::vector<std::uint64_t> at(leader_.offsets.begin() + first, leader_.offsets.begin() + end);
  leader_at_ = 0;
  while (true) {
    std::uint64_t block = fiber_tiles_;  // the next that any row reaches
    for (Coordinate row = first; row < end; ++row) {
      const std::uint64_t next = at[row - first];
      if (next < leader_.offsets[row + 1]) {
        block = std::min(block, leader_.columns[next] / tiles_.fibers);
      }
    }
    if (block == fiber_tiles_) break;
    Step step{block, {}, {}};
    std::uint64_t stored = 0;
    const std::uint64_t k_end = (block + 1) * tiles_.fibers;
    for (Coordinate row = first; row < end; ++row) {
      std::uint64_t& next = at[row - first];
      const std::uint64_t from = next;
      while (next < leader_.offsets[row + 1] && leader_.columns[next] < k_end) ++next;
      step.nonzeros.emplace_back(from, next);
      stored += stored_nonzeros(leader_format_, static_cast<Coordinate>(block * tiles_.fibers),
                                {leader_.columns.data() + from, leader_.columns.data() + next});
    }
    const std::uint64_t bytes = ((std::uint64_t{end} - first + 1) * leader_format_.pointer_bits +
                                 stored * leader_format_.nonzero_bits() + 7) /
                                8;
    step.stored = {leader_.offsets[first] * ((leader_format_.nonzero_bits() + 7) / 8) + leader_at_,
                   bytes};
    leader_at_ += bytes;
    if (part_tiles_[block].bytes > 0) steps_.push_back(std::move(step));
  }
}

/// The rows or the part that come next; false at the end.
bool TileSums::advance() {
  const bool rows_inside = !tiles_.leader_outside;
  std::uint64_t& inner = rows_inside ? row_tile_ : part_;
  std::uint64_t& outer = rows_inside ? part_ : row_tile_;
  if (++inner < (rows_inside ? row_tiles_ : parts_)) return true;
  inner = 0;
  return ++outer < (rows_inside ? parts_ : row_tiles_);
}

void TileSums::count(const Step& step, RowwiseTask& task) {
  const std::uint64_t first_of_part = part_ * tiles_.follower_part;
  for (std::size_t row = 0; row < step.nonzeros.size(); ++row) {
    for (std::uint64_t i = step.nonzeros[row].first; i < step.nonzeros[row].second; ++i) {
      const auto fiber = part_of(leader_.columns[i]);
      task.multiplies += fiber.size();
      for (const Coordinate at : fiber) {
        std::uint64_t& seen = seen_[row * tiles_.follower_part + (at - first_of_part)];
        task.outputs += seen != visit_ ? 1 : 0;
        seen = visit_;
      }
    }
  }
  task.adds = task.multiplies - task.outputs;
}

bool TileSums::next(RowwiseTask& task) {
  if (done_) return false;
  task = {};
  task.id = totals_.tasks++;
  const std::uint64_t first_row = row_tile_ * tiles_.leader_rows;
  const std::uint64_t rows = std::min<std::uint64_t>(tiles_.leader_rows, leader_.rows - first_row);
  const std::uint64_t first_of_part = part_ * tiles_.follower_part;
  const std::uint64_t of_part =
      std::min<std::uint64_t>(tiles_.follower_part, follower_.cols - first_of_part);
  task.work.row_first = static_cast<Coordinate>(first_row);
  task.work.part_first = static_cast<Coordinate>(first_of_part);
  task.work.part_end = static_cast<Coordinate>(first_of_part + of_part);
  if (step_ < steps_.size()) {
    Step& step = steps_[step_++];
    task.leader = step.stored;
    task.followers.push_back(part_tiles_[step.block]);
    task.follower_bytes = part_tiles_[step.block].bytes;
    task.followers_to_start = 1;
    task.follower_walks = rows;
    count(step, task);
    task.work.nonzeros = std::move(step.nonzeros);
  }
  if (step_ == steps_.size()) {
    const std::uint64_t bytes = (rows * of_part * z_.value_bits + 7) / 8;
    task.output = {z_at_, bytes};
    z_at_ += bytes;
    done_ = !advance();
    if (!done_) {
      begin_part();
      begin_rows();
    }
  }
  totals_.multiplies += task.multiplies;
  totals_.adds += task.adds;
  totals_.z_nonzeros += task.outputs;
  totals_.z_bytes += task.output.bytes;
  totals_.leader_bytes += task.leader.bytes;
  totals_.follower_uses += task.followers.size();
  totals_.follower_use_bytes += task.follower_bytes;
  return true;
}

}  // namespace lacuna
