// SPDX-License-Identifier: Apache-2.0
#include "dataflows/fabric_schedule.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.hpp"
#include "base/whole.hpp"

namespace lacuna {

/// Whole bytes of one operand: where each chunk of a tile starts, tile after tile.
struct FabricSchedule::Layout {
  std::vector<std::uint64_t> at;  // [tile * chunks + chunk], one more at the end
  std::uint64_t chunks = 0;

  Layout(const std::vector<FabricWords>& words, std::uint64_t chunks_, double word_bytes)
      : chunks(chunks_) {
    at.reserve(words.size() + 1);
    double sum = 0;
    at.push_back(0);
    for (const FabricWords& w : words) {
      sum += w.all() * word_bytes;
      at.push_back(whole_near(sum));
    }
  }
  [[nodiscard]] std::uint64_t begin(std::uint64_t tile, std::uint64_t chunk = 0) const {
    return at[tile * chunks + chunk];
  }
  [[nodiscard]] std::uint64_t end(std::uint64_t tile, std::uint64_t chunk) const {
    return at[tile * chunks + chunk + 1];
  }
  [[nodiscard]] std::uint64_t total() const { return at.back(); }
  [[nodiscard]] std::uint64_t span(std::uint64_t first, std::uint64_t last) const {
    return begin(last) - begin(first);
  }
  [[nodiscard]] std::uint64_t largest_chunk() const {
    std::uint64_t most = 0;
    for (std::size_t i = 1; i < at.size(); ++i) most = std::max(most, at[i] - at[i - 1]);
    return most;
  }
};

namespace {

/// A tile that is walked several times in the same order, its head resident, the rest coming again
/// (Tailors; a whole tile that fits has nothing else, a buffet's overflowing one no head).
/// Positions are bytes from the tile's start in the operand and from its first fetch in the stream.
struct TileWalk {
  std::uint64_t bytes = 0, resident = 0, walks = 1;

  [[nodiscard]] std::uint64_t again() const { return (walks - 1) * (bytes - resident); }
  [[nodiscard]] std::uint64_t fetched() const { return bytes + again(); }
  /// How far the stream must have come to use the tile up to `end` in this walk.
  [[nodiscard]] std::uint64_t needed(std::uint64_t walk, std::uint64_t end) const {
    if (walk == 0) return end;
    return bytes + (walk - 1) * (bytes - resident) + (end > resident ? end - resident : 0);
  }
  /// Room given back by the use of [begin, end): the tail's at once, the head's in the last walk.
  [[nodiscard]] std::uint64_t released(std::uint64_t walk, std::uint64_t begin,
                                       std::uint64_t end) const {
    if (walk + 1 == walks) return end - begin;
    return std::max(end, resident) - std::max(begin, resident);
  }
};

/// Parts of a sum in whole numbers: what has been given is the rounded sum so far.
class WholeParts {
 public:
  std::uint64_t next(double part) {
    sum_ += part;
    const auto upto = static_cast<std::uint64_t>(sum_ + 0.5);
    return upto - std::exchange(given_, upto);
  }

 private:
  double sum_ = 0;
  std::uint64_t given_ = 0;
};

/// Groups in one tile of the outer operand.
std::uint64_t width_of(const FabricMapping& mapping) {
  const std::uint64_t width =
      mapping.a_outer ? mapping.tile_rows / mapping.rows : mapping.tile_columns / mapping.columns;
  return std::max<std::uint64_t>(1, width);
}

/// A tail that streams through the window needs room for one chunk there.
void check_window(const FabricSpec& spec, std::uint64_t bytes, std::uint64_t head,
                  std::uint64_t chunk) {
  if (head == bytes || spec.glb.policy != BufferPolicy::tailors) return;
  if (chunk <= spec.glb.window.count()) return;
  throw InputError(
      fmt::format("{}: a step of an overbooked tile takes {} bytes, the streaming window holds {}",
                  spec.name, chunk, spec.glb.window.count()),
      "make glb.window larger, or arrays.columns smaller");
}

std::uint64_t resident_of(const FabricSpec& spec, std::uint64_t bytes, double room) {
  return static_cast<std::uint64_t>(resident_bytes(spec, static_cast<double>(bytes), room));
}

}  // namespace

/// Walks the loops: for each tile of the outer operand, each group of the inner one, each of the
/// tile's groups, each chunk. B is the outer operand, or A.
class Walker {
 public:
  explicit Walker(const FabricSchedule& schedule)
      : s_(schedule),
        t_(schedule.tables_),
        map_(schedule.mapping_),
        outer_(schedule.outer()),
        inner_(schedule.inner()),
        outer_groups_(map_.a_outer ? t_.m_tiles : t_.n_tiles),
        inner_groups_(map_.a_outer ? t_.n_tiles : t_.m_tiles) {}

  bool next(FabricStep& step) {
    if (done_) return false;
    const std::uint64_t last = std::min(outer_groups_, first_ + s_.width_);
    const Use of_inner = use_inner(last);
    const TileWalk tile{outer_.span(first_, last), s_.tile_resident_[first_ / s_.width_],
                        inner_groups_};
    const std::uint64_t from = outer_.begin(group_, chunk_) - outer_.begin(first_);
    const std::uint64_t to = outer_.end(group_, chunk_) - outer_.begin(first_);
    const Use of_outer{tile_base_ + tile.needed(walk_, to), tile.released(walk_, from, to)};
    step = {};
    const Use& a = map_.a_outer ? of_outer : of_inner;
    const Use& b = map_.a_outer ? of_inner : of_outer;
    step.a_needed = a.needed;
    step.a_release = a.release;
    step.b_needed = b.needed;
    step.b_release = b.release;
    const std::uint64_t m = map_.a_outer ? group_ : walk_, n = map_.a_outer ? walk_ : group_;
    const std::uint64_t output = m * t_.n_tiles + n;
    step.cycles = t_.cycles[output * t_.chunks + chunk_];
    if (chunk_ + 1 == t_.chunks) step.z_bytes = z_bytes(output);
    meter(m, n, step);
    advance(last, tile);
    return true;
  }

 private:
  struct Use {
    std::uint64_t needed = 0, release = 0;
  };

  /// Whole (A only): every group once, given back in the last tile of B. Otherwise a group is a
  /// tile that is walked for each group of the outer tile, and comes again for the next one.
  Use use_inner(std::uint64_t last) {
    const std::uint64_t from = inner_.begin(walk_, chunk_), to = inner_.end(walk_, chunk_);
    if (map_.a_whole) return {to, group_ + 1 == outer_groups_ ? to - from : 0};
    const TileWalk group = inner_walk(last);
    const std::uint64_t first = inner_.begin(walk_);
    return {group_base_ + group.needed(group_ - first_, to - first),
            group.released(group_ - first_, from - first, to - first)};
  }

  [[nodiscard]] TileWalk inner_walk(std::uint64_t last) const {
    return {inner_.span(walk_, walk_ + 1), s_.group_resident_[walk_], last - first_};
  }

  std::uint64_t z_bytes(std::uint64_t output) {
    z_sum_ += t_.z_bytes[output];
    const auto upto = whole_near(z_sum_);
    const std::uint64_t bytes = upto - z_given_;
    z_given_ = upto;
    return bytes;
  }

  /// What the instruction's cycles are for.
  void meter(std::uint64_t m, std::uint64_t n, FabricStep& step) {
    if (t_.even) {
      step.multiplies = pairs_.next(t_.even_pairs);
      step.glb_bytes = glb_bytes_.next(t_.even_glb_words * t_.word_bytes);
      return;
    }
    const std::uint64_t rows = std::min(t_.m - m * map_.rows, map_.rows);
    const std::uint64_t columns = std::min(t_.n - n * map_.columns, map_.columns);
    step.multiplies = pairs_.next(
        t_.pairs.empty() ? static_cast<double>(rows * columns) * t_.pairs_per_output[chunk_]
                         : t_.pairs[(m * t_.n_tiles + n) * t_.chunks + chunk_]);
    const std::uint64_t places = ceil_div(rows, t_.spill_rows) * t_.spill_rows *
                                 ceil_div(columns, t_.spill_columns) * t_.spill_columns;
    const double words = t_.a[m * t_.chunks + chunk_].all() + t_.b[n * t_.chunks + chunk_].all() +
                         static_cast<double>(places) * t_.spill_words[chunk_];
    step.glb_bytes = glb_bytes_.next(words * t_.word_bytes);
  }

  void advance(std::uint64_t last, const TileWalk& tile) {
    if (++chunk_ < t_.chunks) return;
    chunk_ = 0;
    if (++group_ < last) return;
    group_ = first_;
    if (!map_.a_whole) group_base_ += inner_walk(last).fetched();
    if (++walk_ < inner_groups_) return;
    walk_ = 0;
    tile_base_ += tile.fetched();
    first_ = group_ = last;
    done_ = first_ == outer_groups_;
  }

  const FabricSchedule& s_;
  const FabricTables& t_;
  const FabricMapping& map_;
  const FabricSchedule::Layout& outer_;
  const FabricSchedule::Layout& inner_;
  std::uint64_t outer_groups_, inner_groups_;
  std::uint64_t first_ = 0, group_ = 0;  // of the outer operand: the tile's first, this one
  std::uint64_t walk_ = 0, chunk_ = 0;   // group of the inner operand
  std::uint64_t tile_base_ = 0, group_base_ = 0;
  double z_sum_ = 0;
  std::uint64_t z_given_ = 0;
  WholeParts pairs_, glb_bytes_;
  bool done_ = false;
};

FabricSchedule::FabricSchedule(const FabricSpec& spec, FabricTables tables,
                               const FabricMapping& mapping)
    : tables_(std::move(tables)),
      mapping_(mapping),
      a_layout_(std::make_shared<Layout>(tables_.a, tables_.chunks,
                                         tables_.word_bytes * tables_.a_footprint)),
      b_layout_(std::make_shared<Layout>(tables_.b, tables_.chunks,
                                         tables_.word_bytes * tables_.b_footprint)),
      width_(width_of(mapping)) {
  a_.chunk = std::max<std::uint64_t>(1, a_layout_->largest_chunk());
  b_.chunk = std::max<std::uint64_t>(1, b_layout_->largest_chunk());
  // What only passes: one chunk in use, one arriving.
  a_.tile = std::clamp<std::uint64_t>(a_layout_->total(), 1, mapping.passing * a_.chunk);
  b_.tile = std::clamp<std::uint64_t>(b_layout_->total(), 1, mapping.passing * b_.chunk);
  lay_out_tiles(spec);
  lay_out_groups(spec);
  double z = 0;
  for (const double bytes : tables_.z_bytes) z += bytes;
  z_bytes_ = whole_near(z);
}

/// Of the outer operand: each tile is walked once for each group of the inner one.
void FabricSchedule::lay_out_tiles(const FabricSpec& spec) {
  const bool a_outer = mapping_.a_outer;
  const Layout& layout = outer();
  FabricFootprint& of = a_outer ? a_ : b_;
  const std::uint64_t groups = a_outer ? tables_.m_tiles : tables_.n_tiles;
  const std::uint64_t walks = a_outer ? tables_.n_tiles : tables_.m_tiles;
  const bool stays = a_outer || mapping_.b_resident;
  const double room = a_outer ? mapping_.a_room : mapping_.b_room;
  for (std::uint64_t first = 0; first < groups; first += width_) {
    const std::uint64_t bytes = layout.span(first, std::min(groups, first + width_));
    const std::uint64_t head = stays ? resident_of(spec, bytes, room) : std::uint64_t{0};
    tile_resident_.push_back(head);
    const TileWalk walk{bytes, head, walks};
    of.total += walk.fetched();
    of.walks += walks;
    if (!stays) continue;
    check_window(spec, bytes, head, of.chunk);
    of.again += walk.again();
    const bool over = head < bytes;
    of.tile = std::max(of.tile, over ? static_cast<std::uint64_t>(room) : bytes);
    if (a_outer) continue;
    ++use_.tiles;
    use_.overbooked += over ? 1 : 0;
    use_.bytes.push_back(bytes);
  }
}

/// Of the inner operand: each group is walked once for each group of an outer tile, and comes again
/// for the next tile, or all of it stays.
void FabricSchedule::lay_out_groups(const FabricSpec& spec) {
  const bool a_outer = mapping_.a_outer;
  const Layout& layout = inner();
  FabricFootprint& of = a_outer ? b_ : a_;
  const std::uint64_t groups = a_outer ? tables_.n_tiles : tables_.m_tiles;
  const std::uint64_t outer_groups = a_outer ? tables_.m_tiles : tables_.n_tiles;
  const double room = a_outer ? mapping_.b_room : mapping_.a_room;
  for (std::uint64_t group = 0; group < groups; ++group) {
    const std::uint64_t bytes = layout.span(group, group + 1);
    const std::uint64_t head = resident_of(spec, bytes, room);
    check_window(spec, bytes, head, of.chunk);
    group_resident_.push_back(head);
    if (mapping_.a_whole) continue;
    for (std::uint64_t first = 0; first < outer_groups; first += width_) {
      const TileWalk walk{bytes, head, std::min(outer_groups, first + width_) - first};
      of.total += walk.fetched();
      of.again += walk.again();
      of.walks += walk.walks;
    }
    // A group that serves one group of the outer operand only passes.
    if (std::min(width_, outer_groups) == 1) continue;
    of.tile = std::max(of.tile, head < bytes ? static_cast<std::uint64_t>(room) : bytes);
  }
  if (mapping_.a_whole) of.total = of.tile = layout.total();
}

std::function<bool(FabricStep&)> FabricSchedule::walk() const {
  auto walker = std::make_shared<Walker>(*this);
  return [walker](FabricStep& step) { return walker->next(step); };
}

namespace {

/// One product after another, each as often as it occurs; positions go on.
class Sequence {
 public:
  explicit Sequence(std::vector<ScheduledProduct> products) : products_(std::move(products)) {}

  bool next(FabricStep& step) {
    while (true) {
      if (!walk_) {
        if (at_ == products_.size()) return false;
        walk_ = products_[at_].schedule->walk();
      }
      if (walk_(step)) {
        step.a_needed += a_base_;
        step.b_needed += b_base_;
        return true;
      }
      walk_ = nullptr;
      a_base_ += products_[at_].schedule->a().total;
      b_base_ += products_[at_].schedule->b().total;
      if (++done_ == products_[at_].times) {
        done_ = 0;
        ++at_;
      }
    }
  }

 private:
  std::vector<ScheduledProduct> products_;
  std::function<bool(FabricStep&)> walk_;
  std::size_t at_ = 0;
  std::uint64_t done_ = 0, a_base_ = 0, b_base_ = 0;
};

}  // namespace

std::pair<std::uint64_t, std::uint64_t> needed_bytes(
    const std::vector<ScheduledProduct>& products) {
  std::uint64_t a = 0, b = 0;
  for (const auto& [schedule, times] : products) {
    a = std::max(a, schedule->a().tile);
    b = std::max(b, schedule->b().tile);
  }
  return {a, b};
}

FabricProgram make_program(std::vector<ScheduledProduct> products, std::uint64_t capacity) {
  FabricProgram program;
  bool a_stays = true, b_stays = true;
  double z = 0;
  for (const auto& [schedule, times] : products) {
    program.a_bytes += schedule->a().total * times;
    program.b_bytes += schedule->b().total * times;
    program.a_walks += schedule->a().walks * times;
    program.b_walks += schedule->b().walks * times;
    a_stays = a_stays && times == 1 && schedule->a().total == schedule->a().tile;
    b_stays = b_stays && times == 1 && schedule->b().total == schedule->b().tile;
    for (const double bytes : schedule->tables().z_bytes) z = std::max(z, bytes);
  }
  const auto [a_tile, b_tile] = needed_bytes(products);
  LACUNA_CHECK(a_tile + b_tile <= capacity, "{} and {} bytes of A and B in a buffer of {}", a_tile,
               b_tile, capacity);
  const std::uint64_t spare = capacity - a_tile - b_tile;
  const bool one = products.size() == 1;
  const std::uint64_t for_a = one && a_stays ? 0 : one && b_stays ? spare : spare / 2;
  program.a_capacity = a_tile + for_a;
  program.b_capacity = b_tile + spare - for_a;
  program.z_backlog = whole_up(z);
  auto sequence = std::make_shared<Sequence>(std::move(products));
  program.next = [sequence](FabricStep& step) { return sequence->next(step); };
  return program;
}

}  // namespace lacuna
