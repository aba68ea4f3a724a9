// SPDX-License-Identifier: Apache-2.0
#include "arch/compute/row_steps.hpp"

#include <algorithm>
#include <numeric>

#include "base/error.hpp"
#include "base/units.hpp"

namespace lacuna {

namespace {

/// Walks a row of S beside a sorted stream of coordinates; without S everything is in it.
class SampleCursor {
 public:
  SampleCursor(const OutputSamples* samples, Coordinate row) : all_(samples == nullptr) {
    if (samples != nullptr) left_ = samples->places.cols_of(row);
  }
  bool has(Coordinate column) {
    while (!left_.empty() && left_.front() < column) left_ = left_.subspan(1);
    return all_ || (!left_.empty() && left_.front() == column);
  }

 private:
  bool all_;
  std::span<const Coordinate> left_;
};

}  // namespace

ElementPace::ElementPace(const RowwiseSpec& spec)
    : per_merged(spec.merges() ? sim::to_ticks(1.0 / spec.elements.merged_per_cycle) : 0),
      per_multiply(sim::to_ticks(1.0 / static_cast<double>(spec.elements.lanes))),
      piece(spec.merges() ? std::max<std::uint64_t>(1, spec.elements.output_room.count() / 2) : 0) {
}

std::vector<Milestone> even_milestones(const RowwiseTask& task, const ElementPace& pace) {
  const std::uint64_t bytes = task.output.bytes;
  const std::uint64_t count =
      pace.piece == 0 ? 1 : std::max<std::uint64_t>(1, ceil_div(bytes, pace.piece));
  const sim::Ticks work = pace.work(task.merged, task.multiplies + task.scaled);
  std::vector<Milestone> all;
  all.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    // Evenly, without a product that could overflow.
    const auto part = [&](std::uint64_t whole) {
      return whole / count + (i < whole % count ? 1 : 0);
    };
    all.push_back({part(work), task.followers_to_start, task.partials_to_start, part(bytes)});
  }
  all.back().followers = task.follower_bytes;
  all.back().partials = task.partial_bytes;
  return all;
}

RowSteps::RowSteps(const RowwiseProgram& program, const RowwiseSpec& spec)
    : program_(program),
      pace_(spec),
      follower_nonzero_bytes_((spec.follower().nonzero_bits() + 7) / 8),
      z_nonzero_bytes_((spec.z.nonzero_bits() + 7) / 8),
      merges_(spec.merges()),
      rows_(program.leader().rows) {}

std::vector<Milestone> RowSteps::step(const RowwiseTask& task) {
  const RowCounts before = counts_;
  std::vector<Milestone> milestones;
  merges_ ? merge(task, milestones) : sum(task, milestones);
  const RowCounts stepped{counts_.multiplies - before.multiplies, counts_.merged - before.merged,
                          counts_.adds - before.adds, counts_.outputs - before.outputs};
  const RowCounts told{task.multiplies, task.merged, task.adds, task.outputs};
  LACUNA_CHECK(
      stepped == told,
      "task {}: {} multiplies, {} merged, {} adds, {} outputs stepped; {}, {}, {}, {} told",
      task.id, stepped.multiplies, stepped.merged, stepped.adds, stepped.outputs, told.multiplies,
      told.merged, told.adds, told.outputs);
  return milestones;
}

/// The fibers and partial outputs of a task, each with where its nonzeros come in its stream.
void RowSteps::open(const RowwiseTask& task) {
  const CsrMatrix& leader = program_.leader();
  const CsrMatrix& follower = program_.follower();
  heap_.clear();
  std::uint64_t at = 0;
  std::size_t fiber = 0;
  for (const auto& [first, end] : task.work.nonzeros) {
    for (std::uint64_t i = first; i < end; ++i, ++fiber) {
      const Coordinate k = leader.columns[i];
      const auto columns = follower.cols_of(k);
      const double* const values =
          follower.values.empty() ? nullptr : follower.values.data() + follower.offsets[k];
      at += task.followers[2 * fiber].bytes;
      heap_.push_back({columns.data(), columns.data() + columns.size(), values,
                       leader.values.empty() ? 1.0 : leader.values[i], false,
                       at + follower_nonzero_bytes_, follower_nonzero_bytes_});
      at += task.followers[2 * fiber + 1].bytes;
    }
  }
  std::uint64_t partial_at = 0;
  used_.clear();
  for (std::size_t i = 0; i < task.work.partials.size(); ++i) {
    const auto found = partials_.find(task.work.partials[i]);
    LACUNA_CHECK(found != partials_.end(), "task {} takes outputs that are not there", task.id);
    const Fiber& partial = found->second;
    heap_.push_back({partial.columns.data(), partial.columns.data() + partial.columns.size(),
                     partial.values.data(), 1.0, true, partial_at + z_nonzero_bytes_,
                     z_nonzero_bytes_});
    partial_at += task.partials[i].bytes;
    used_.push_back(task.work.partials[i]);
  }
  std::erase_if(heap_, [](const Source& source) { return source.at == source.end; });
  for (std::size_t i = heap_.size() / 2; i-- > 0;) sift(i);
}

/// Restores the heap below `at`, whose coordinate may have grown.
void RowSteps::sift(std::size_t at) {
  const std::size_t size = heap_.size();
  if (at >= size) return;
  const Source moving = heap_[at];
  while (true) {
    std::size_t child = 2 * at + 1;
    if (child >= size) break;
    if (child + 1 < size && before(heap_[child + 1], heap_[child])) ++child;
    if (!before(heap_[child], moving)) break;
    heap_[at] = heap_[child];
    at = child;
  }
  heap_[at] = moving;
}

void RowSteps::merge(const RowwiseTask& task, std::vector<Milestone>& milestones) {
  open(task);
  merged_.columns.clear();
  merged_.values.clear();
  const std::uint64_t per_piece =
      std::max<std::uint64_t>(1, pace_.piece / std::max<std::uint64_t>(1, z_nonzero_bytes_));
  std::uint64_t in_piece = 0, merged = 0, multiplies = 0, given = 0;
  const bool scales = task.scaled > 0;
  const auto mark = [&] {
    Milestone milestone{pace_.work(merged, multiplies + (scales ? in_piece : 0)),
                        task.followers_to_start, task.partials_to_start,
                        in_piece * z_nonzero_bytes_};
    for (const Source& source : heap_) {  // the next nonzero of each
      std::uint64_t& needed = source.partial ? milestone.partials : milestone.followers;
      needed = std::max(needed, source.behind);
    }
    given += milestone.outputs;
    milestones.push_back(milestone);
    counts_.merged += merged;
    counts_.multiplies += multiplies;
    counts_.outputs += in_piece;
    in_piece = merged = multiplies = 0;
  };
  const auto advance = [&](Source& source) {
    ++source.at;
    if (source.value != nullptr) ++source.value;
    source.behind += source.nonzero_bytes;
    if (source.at == source.end) {
      source = heap_.back();
      heap_.pop_back();
    }
    sift(0);
  };
  SampleCursor samples(program_.samples(), task.work.row_first);
  while (!heap_.empty()) {
    Source& source = heap_.front();
    const Coordinate column = *source.at;
    if (!samples.has(column)) {  // dropped behind the merger
      ++merged;
      advance(source);
      continue;
    }
    const double product = source.value == nullptr ? source.scale : source.scale * *source.value;
    ++merged;
    multiplies += source.partial ? 0 : 1;
    const bool meets = !merged_.columns.empty() && merged_.columns.back() == column;
    if (meets) {
      merged_.values.back() += product;
      ++counts_.adds;
    } else {
      if (in_piece == per_piece) {  // this nonzero belongs to the next piece
        --merged;
        multiplies -= source.partial ? 0 : 1;
        mark();
        ++merged;
        multiplies += source.partial ? 0 : 1;
      }
      merged_.columns.push_back(column);
      merged_.values.push_back(product);
      ++in_piece;
    }
    advance(source);
  }
  mark();
  if (scales) scale(task);
  // Pointers, and what rounding a whole fiber's bits up to bytes takes or spares.
  Milestone& last = milestones.back();
  last.followers = task.follower_bytes;
  last.partials = task.partial_bytes;
  const std::uint64_t before_last = given - last.outputs;
  last.outputs = task.output.bytes > before_last ? task.output.bytes - before_last : 0;
  LACUNA_CHECK(before_last <= task.output.bytes, "task {}: {} bytes of outputs stepped, {} told",
               task.id, given, task.output.bytes);
  for (const std::uint64_t id : used_) partials_.erase(id);
  if (task.is_final) {
    if (!merged_.columns.empty()) keep(task.work.row_first, merged_);
  } else {
    partials_[task.id] = merged_;
  }
}

/// Outputs that are final are multiplied by S.
void RowSteps::scale(const RowwiseTask& task) {
  const CsrMatrix& places = program_.samples()->places;
  const auto row = places.cols_of(task.work.row_first);
  auto at = row.begin();
  for (std::size_t i = 0; i < merged_.columns.size(); ++i) {
    at = std::lower_bound(at, row.end(), merged_.columns[i]);
    merged_.values[i] *=
        places.values_of(task.work.row_first)[static_cast<std::size_t>(at - row.begin())];
  }
}

/// Sums stand until the task that gives them away.
void RowSteps::sum(const RowwiseTask& task, std::vector<Milestone>& milestones) {
  const CsrMatrix& leader = program_.leader();
  const CsrMatrix& follower = program_.follower();
  const std::size_t part = task.work.part_end - task.work.part_first;
  sim::Ticks work = 0;
  for (std::size_t row = 0; row < task.work.nonzeros.size(); ++row) {
    if (sums_.size() < (row + 1) * part) {
      sums_.resize((row + 1) * part, 0);
      met_.resize((row + 1) * part, 0);
    }
    for (auto i = task.work.nonzeros[row].first; i < task.work.nonzeros[row].second; ++i) {
      const Coordinate k = leader.columns[i];
      const double scale = leader.values.empty() ? 1.0 : leader.values[i];
      const auto fiber = follower.cols_of(k);
      for (auto at = std::lower_bound(fiber.begin(), fiber.end(), task.work.part_first);
           at != fiber.end() && *at < task.work.part_end; ++at) {
        const std::size_t place = row * part + (*at - task.work.part_first);
        const std::size_t index =
            follower.offsets[k] + static_cast<std::size_t>(at - fiber.begin());
        sums_[place] += scale * (follower.values.empty() ? 1.0 : follower.values[index]);
        ++counts_.multiplies;
        ++(met_[place] != 0 ? counts_.adds : counts_.outputs);
        met_[place] = 1;
        work += pace_.per_multiply;
      }
    }
  }
  milestones.push_back({work, task.follower_bytes, 0, task.output.bytes});
  if (task.output.bytes == 0) return;
  for (std::size_t place = 0; place < met_.size(); ++place) {
    if (met_[place] == 0) continue;
    Fiber one{{static_cast<Coordinate>(task.work.part_first + place % part)}, {sums_[place]}};
    keep(static_cast<Coordinate>(task.work.row_first + place / part), one);
  }
  sums_.clear();
  met_.clear();
}

void RowSteps::keep(Coordinate row, const Fiber& fiber) {
  Fiber& whole = rows_[row];
  whole.columns.insert(whole.columns.end(), fiber.columns.begin(), fiber.columns.end());
  whole.values.insert(whole.values.end(), fiber.values.begin(), fiber.values.end());
}

CsrMatrix RowSteps::product() const {
  CsrMatrix z;
  z.rows = program_.leader().rows;
  z.cols = program_.follower().cols;
  for (const Fiber& row : rows_) {
    std::vector<std::size_t> order(row.columns.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return row.columns[a] < row.columns[b]; });
    for (const std::size_t i : order) {
      z.columns.push_back(row.columns[i]);
      z.values.push_back(row.values[i]);
    }
    z.offsets.push_back(z.columns.size());
  }
  return z;
}

}  // namespace lacuna
