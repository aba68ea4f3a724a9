// SPDX-License-Identifier: Apache-2.0
#include "dataflows/row_merges.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/error.hpp"

namespace lacuna {
namespace {

/// Bytes of some ranges, and of them all but the rest of the last behind its first byte.
void sum_up(const std::vector<StoredRange>& ranges, std::uint64_t& bytes, std::uint64_t& to_start) {
  bytes = 0;
  for (const StoredRange& range : ranges) bytes += range.bytes;
  to_start = 0;
  if (!ranges.empty() && bytes > 0) {
    to_start = bytes - ranges.back().bytes + std::min<std::uint64_t>(1, ranges.back().bytes);
  }
}

/// S is stored as outputs are; a mask has no values.
FiberFormat samples_format(const RowwiseSpec& machine, const OutputSamples& samples) {
  FiberFormat format = machine.z;
  if (samples.ones) format.value_bits = 0;
  return format;
}

}  // namespace

RowMerges::RowMerges(const CsrMatrix& leader, const CsrMatrix& follower, const RowwiseSpec& machine,
                     const OutputSamples* samples)
    : RowwiseProgram(leader, follower, samples),
      radix_(machine.elements.radix),
      leader_layout_(leader, machine.leader()),
      follower_layout_(follower, machine.follower()),
      z_pointer_bits_(machine.z.pointer_bits),
      z_nonzero_bits_(machine.z.nonzero_bits()),
      seen_(follower.cols, 0),
      seen_in_row_(follower.cols, 0) {
  LACUNA_CHECK(leader.cols == follower.rows && radix_ >= 2, "{} columns for {} fibers, radix {}",
               leader.cols, follower.rows, radix_);
  if (samples != nullptr) {
    samples_layout_.emplace(samples->places, samples_format(machine, *samples));
    in_samples_.assign(follower.cols, 0);
  }
  const std::uint64_t size = machine.tiles.fibers;
  for (std::uint64_t first = 0; first < follower.rows; first += size) {
    cuts_.push_back(static_cast<Coordinate>(first));
    if (size == 0) break;
  }
  cuts_.push_back(follower.rows);
  if (machine.level) room_ = machine.level->room.count();
  if (size > 0) cut();
  reached_.assign(leader.offsets.begin(), leader.offsets.end() - 1);
  if (cuts_.size() > 2) partials_.resize(leader.rows);
}

void RowMerges::cut() {
  for (std::size_t i = 0; i + 1 < cuts_.size(); ++i) {
    const auto span = [&](const StoredRange& first, const StoredRange& last) {
      return StoredRange{first.address, last.address + last.bytes - first.address};
    };
    const Coordinate first = cuts_[i], last = cuts_[i + 1] - 1;
    blocks_.push_back(
        {span(follower_layout_.pointer_of(first), follower_layout_.pointer_of(last)),
         span(follower_layout_.nonzeros_of(first), follower_layout_.nonzeros_of(last))});
    if (room_ > 0 && blocks_.back().bytes() > room_) ++totals_.overflowing_tiles;
  }
}

bool RowMerges::next(RowwiseTask& task) {
  while (ready_.empty()) {
    if (done_ || !next_row()) return false;
  }
  task = std::move(ready_.front());
  ready_.pop_front();
  return true;
}

/// A row of the leader in the block at hand.
bool RowMerges::next_row() {
  if (row_ == leader_.rows) {
    row_ = 0;
    if (++block_ + 1 >= cuts_.size()) {
      end_program();
      return !ready_.empty();
    }
  }
  if (leader_.rows == 0) return true;
  const Coordinate row = row_++;
  if (samples_ != nullptr) {
    if (block_ == 0) samples_pending_ += samples_layout_->pointer_bytes();
    if (!begin_samples(row)) {
      if (block_ == 0) {
        leader_pending_ += leader_layout_.pointer_bytes();
        z_pending_ += (z_pointer_bits_ + 7) / 8;
      }
      return true;
    }
  }
  const std::uint64_t last = leader_.offsets[row + 1], first = reached_[row];
  std::uint64_t end = first;
  const Coordinate k_end = cuts_[block_ + 1];
  if (k_end == follower_.rows) {
    end = last;
  } else {
    while (end < last && leader_.columns[end] < k_end) ++end;
  }
  reached_[row] = end;
  const bool empty = leader_.offsets[row] == last;
  if (first == end) {
    if (block_ == 0 || !empty) leader_pending_ += leader_layout_.pointer_bytes();
    if (block_ == 0 && empty) z_pending_ += (z_pointer_bits_ + 7) / 8;
    return true;
  }
  current_ = row;
  row_first_ = leader_.offsets[row];
  row_end_ = end;
  // Rows that S has left out leave a gap.
  if (leader_pending_ == 0 || samples_ != nullptr)
    leader_at_ = leader_layout_.nonzeros_of(row).address;
  leader_pending_ += leader_layout_.pointer_bytes();
  Items items;
  if (!partials_.empty()) items = std::move(partials_[row]);
  take_in(items, first, end);
  reduce(items);
  const bool is_final = end == last;
  if (is_final || items.size() > 1 || !items.front().partial) {
    const Item merged = emit(items.cbegin(), items.cend(), is_final);
    items.assign(1, merged);
  }
  if (!is_final) partials_[row] = std::move(items);
  return true;
}

bool RowMerges::begin_samples(Coordinate row) {
  ++samples_row_;
  for (const Coordinate column : samples_->places.cols_of(row)) in_samples_[column] = samples_row_;
  return !samples_->places.cols_of(row).empty();
}

void RowMerges::take_in(Items& items, std::uint64_t first, std::uint64_t end) {
  items.reserve(items.size() + (end - first));
  for (std::uint64_t i = first; i < end; ++i) {
    const auto fiber = follower_.cols_of(leader_.columns[i]);
    std::uint64_t kept = fiber.size();
    if (samples_ != nullptr) {
      kept = static_cast<std::uint64_t>(std::count_if(
          fiber.begin(), fiber.end(), [this](Coordinate column) { return has(column); }));
    }
    items.push_back({false, 0, {}, fiber.size(), kept, i, i + 1});
  }
}

/// Merges groups of items until one task can take the rest.
void RowMerges::reduce(Items& items) {
  ++row_stamp_;
  of_row_ = 0;
  row_counted_ = false;
  // All fibers of the row pass the first groups: what is distinct in the row is counted on the way.
  counting_row_ =
      std::none_of(items.begin(), items.end(), [](const Item& item) { return item.partial; });
  while (items.size() > radix_) {
    Items reduced;
    for (std::size_t i = 0; i < items.size(); i += radix_) {
      const std::size_t stop = std::min<std::size_t>(items.size(), i + radix_);
      const auto from = items.cbegin() + static_cast<std::ptrdiff_t>(i);
      const auto to = items.cbegin() + static_cast<std::ptrdiff_t>(stop);
      if (stop - i == 1) {
        if (counting_row_) (void)distinct(from->first, from->end);
        reduced.push_back(*from);
        continue;
      }
      reduced.push_back(emit(from, to, false));
    }
    items = std::move(reduced);
    row_counted_ = row_counted_ || counting_row_;
    counting_row_ = false;
  }
  counting_row_ = false;
}

std::uint64_t RowMerges::distinct(std::uint64_t first, std::uint64_t end) {
  LACUNA_CHECK(stamp_ < std::numeric_limits<std::uint32_t>::max(), "too many tasks");
  const std::uint32_t stamp = ++stamp_, row_stamp = row_stamp_;
  std::uint64_t count = 0, of_row = 0;
  for (std::uint64_t i = first; i < end; ++i) {
    const auto fiber = follower_.cols_of(leader_.columns[i]);
    if (counting_row_) {
      for (const Coordinate column : fiber) {
        if (!has(column)) continue;
        count += static_cast<std::uint64_t>(seen_[column] != stamp);
        seen_[column] = stamp;
        of_row += static_cast<std::uint64_t>(seen_in_row_[column] != row_stamp);
        seen_in_row_[column] = row_stamp;
      }
    } else {
      for (const Coordinate column : fiber) {
        if (!has(column)) continue;
        count += static_cast<std::uint64_t>(seen_[column] != stamp);
        seen_[column] = stamp;
      }
    }
  }
  of_row_ += of_row;
  return count;
}

/// What the task reads of the row of S, and multiplies by it.
void RowMerges::take_samples(RowwiseTask& task) {
  if (task.is_final && !samples_->ones) task.scaled = task.outputs;
  if (task.followers.empty() && task.scaled == 0) return;
  const StoredRange row = samples_layout_->nonzeros_of(current_);
  task.samples = {row.address, row.bytes + std::exchange(samples_pending_, 0)};
}

/// A task that merges these; what becomes of them.
RowMerges::Item RowMerges::emit(Items::const_iterator begin, Items::const_iterator end,
                                bool is_final) {
  RowwiseTask task;
  const Item& front = *begin;
  const Item& back = *(end - 1);
  task.work.row_first = current_;
  task.work.part_end = follower_.cols;
  task.is_final = is_final;
  std::uint64_t kept = 0;
  for (auto item = begin; item != end; ++item) {
    task.merged += item->nonzeros;
    kept += item->kept;
    if (item->partial) {
      task.partials.push_back(item->stored);
      task.work.partials.push_back(item->id);
      continue;
    }
    task.multiplies += item->kept;
    const Coordinate k = leader_.columns[item->first];
    task.followers.push_back(follower_layout_.pointer_of(k));
    task.followers.push_back(follower_layout_.nonzeros_of(k));
    if (!task.work.nonzeros.empty() && task.work.nonzeros.back().second == item->first) {
      task.work.nonzeros.back().second = item->end;
    } else {
      task.work.nonzeros.emplace_back(item->first, item->end);
    }
    // Its bytes of the leader, with those that no task has taken before.
    const std::uint64_t index = item->first - leader_.offsets[current_];
    leader_pending_ += leader_layout_.end_of(current_, index) -
                       (index == 0 ? leader_layout_.nonzeros_of(current_).address
                                   : leader_layout_.end_of(current_, index - 1));
  }
  const bool whole = front.first == row_first_ && back.end == row_end_;
  task.outputs = whole && row_counted_ ? of_row_ : distinct(front.first, back.end);
  task.adds = kept - task.outputs;
  totals_.dropped += task.merged - kept;
  if (samples_ != nullptr) take_samples(task);
  return put(std::move(task), front.first, back.end);
}

RowMerges::Item RowMerges::put(RowwiseTask task, std::uint64_t first, std::uint64_t end) {
  task.id = next_id_++;
  task.block = block_;
  task.leader = {leader_at_, leader_pending_};
  leader_at_ += leader_pending_;
  leader_pending_ = 0;
  sum_up(task.followers, task.follower_bytes, task.followers_to_start);
  sum_up(task.partials, task.partial_bytes, task.partials_to_start);
  if (task.is_final) {
    const std::uint64_t bytes =
        z_pending_ + (z_pointer_bits_ + task.outputs * z_nonzero_bits_ + 7) / 8;
    z_pending_ = 0;
    task.output = {z_at_, bytes};
    z_at_ += bytes;
    totals_.z_nonzeros += task.outputs;
    totals_.z_bytes += bytes;
  } else {
    task.output = {partial_at_, (task.outputs * z_nonzero_bits_ + 7) / 8};
    partial_at_ += task.output.bytes;
    totals_.partial_nonzeros += task.outputs;
  }
  ++totals_.tasks;
  totals_.multiplies += task.multiplies;
  totals_.merged += task.merged;
  totals_.adds += task.adds;
  totals_.leader_bytes += task.leader.bytes;
  totals_.follower_uses += task.followers.size() / 2;
  totals_.follower_use_bytes += task.follower_bytes;
  totals_.scaled += task.scaled;
  totals_.sample_bytes += task.samples.bytes;
  const Item item{true, task.id, task.output, task.outputs, task.outputs, first, end};
  ready_.push_back(std::move(task));
  return item;
}

/// Rows behind the last that had a task: their pointers.
void RowMerges::end_program() {
  done_ = true;
  if (leader_pending_ + z_pending_ + samples_pending_ == 0) return;
  RowwiseTask task;
  task.id = next_id_++;
  task.block = block_ - 1;
  task.leader = {leader_at_, leader_pending_};
  task.output = {z_at_, z_pending_};
  ++totals_.tasks;
  task.samples = {0, samples_pending_};
  totals_.leader_bytes += leader_pending_;
  totals_.z_bytes += z_pending_;
  totals_.sample_bytes += samples_pending_;
  ready_.push_back(std::move(task));
}

}  // namespace lacuna
