// SPDX-License-Identifier: Apache-2.0
#include "dataflows/fabric_schedule.hpp"

#include <algorithm>
#include <cmath>

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

/// Column groups of one resident tile of B.
std::uint64_t width_of(const FabricMapping& mapping) {
  return std::max<std::uint64_t>(1, mapping.tile_columns / mapping.columns);
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

/// Walks the loops. B outer: for each tile of B, each row group, each of the tile's column groups,
/// each chunk. A outer: for each row group, each column group, each chunk.
class Walker {
 public:
  explicit Walker(const FabricSchedule& schedule)
      : s_(schedule),
        t_(schedule.tables_),
        map_(schedule.mapping_),
        a_(*schedule.a_layout_),
        b_(*schedule.b_layout_),
        width_(map_.a_outer ? t_.n_tiles : width_of(map_)) {}

  bool next(FabricStep& step) {
    if (done_) return false;
    const std::uint64_t last_n = std::min(t_.n_tiles, n0_ + width_);
    step = {};
    use_a(last_n, step);
    const TileWalk b{b_.span(n0_, last_n), s_.b_resident_[n0_ / width_], t_.m_tiles};
    const std::uint64_t from = b_.begin(n_, chunk_) - b_.begin(n0_);
    const std::uint64_t to = b_.end(n_, chunk_) - b_.begin(n0_);
    step.b_needed = b_base_ + b.needed(m_, to);
    step.b_release = b.released(m_, from, to);
    const std::uint64_t tile = m_ * t_.n_tiles + n_;
    step.cycles = t_.cycles[tile * t_.chunks + chunk_];
    if (chunk_ + 1 == t_.chunks) step.z_bytes = z_bytes(tile);
    advance(last_n, b);
    return true;
  }

 private:
  /// A whole: every group once, given back in the last tile of B. Otherwise a group is a tile that
  /// is walked for each column group, and comes again for the next tile of B.
  void use_a(std::uint64_t last_n, FabricStep& step) {
    const std::uint64_t from = a_.begin(m_, chunk_), to = a_.end(m_, chunk_);
    if (map_.a_whole) {
      step.a_needed = to;
      step.a_release = n_ + 1 == t_.n_tiles ? to - from : 0;
      return;
    }
    const TileWalk a = walk_of_a(last_n);
    const std::uint64_t first = a_.begin(m_);
    step.a_needed = a_base_ + a.needed(n_ - n0_, to - first);
    step.a_release = a.released(n_ - n0_, from - first, to - first);
  }

  [[nodiscard]] TileWalk walk_of_a(std::uint64_t last_n) const {
    return {a_.span(m_, m_ + 1), s_.a_resident_[m_], last_n - n0_};
  }

  std::uint64_t z_bytes(std::uint64_t tile) {
    z_sum_ += t_.z_bytes[tile];
    const auto upto = whole_near(z_sum_);
    const std::uint64_t bytes = upto - z_given_;
    z_given_ = upto;
    return bytes;
  }

  void advance(std::uint64_t last_n, const TileWalk& b) {
    if (++chunk_ < t_.chunks) return;
    chunk_ = 0;
    if (++n_ < last_n) return;
    n_ = n0_;
    if (!map_.a_whole) a_base_ += walk_of_a(last_n).fetched();
    if (++m_ < t_.m_tiles) return;
    m_ = 0;
    b_base_ += b.fetched();
    n0_ = n_ = last_n;
    done_ = n0_ == t_.n_tiles;
  }

  const FabricSchedule& s_;
  const FabricTables& t_;
  const FabricMapping& map_;
  const FabricSchedule::Layout& a_;
  const FabricSchedule::Layout& b_;
  std::uint64_t width_;
  std::uint64_t m_ = 0, n_ = 0, n0_ = 0, chunk_ = 0;
  std::uint64_t a_base_ = 0, b_base_ = 0;
  double z_sum_ = 0;
  std::uint64_t z_given_ = 0;
  bool done_ = false;
};

FabricSchedule::FabricSchedule(const FabricSpec& spec, FabricTables tables,
                               const FabricMapping& mapping)
    : tables_(std::move(tables)),
      mapping_(mapping),
      a_layout_(std::make_shared<Layout>(tables_.a, tables_.chunks,
                                         tables_.word_bytes * tables_.a_footprint)),
      b_layout_(std::make_shared<Layout>(tables_.b, tables_.chunks,
                                         tables_.word_bytes * tables_.b_footprint)) {
  const std::uint64_t width = mapping.a_outer ? tables_.n_tiles : width_of(mapping);
  // B outer: each tile of B is walked once for each row group. A outer: all of B comes each time.
  a_.chunk = std::max<std::uint64_t>(1, 2 * a_layout_->largest_chunk());
  b_.chunk = std::max<std::uint64_t>(1, 2 * b_layout_->largest_chunk());
  a_.tile = a_.chunk;
  b_.tile = b_.chunk;
  for (std::uint64_t n0 = 0; n0 < tables_.n_tiles; n0 += width) {
    const std::uint64_t last = std::min(tables_.n_tiles, n0 + width);
    const std::uint64_t bytes = b_layout_->span(n0, last);
    const std::uint64_t head =
        mapping.b_resident ? resident_of(spec, bytes, mapping.b_room) : std::uint64_t{0};
    b_resident_.push_back(head);
    const TileWalk walk{bytes, head, tables_.m_tiles};
    b_.total += walk.fetched();
    if (mapping.b_resident) {
      check_window(spec, bytes, head, b_.chunk / 2);
      b_.again += walk.again();
      const bool over = head < bytes;
      const auto room = static_cast<std::uint64_t>(mapping.b_room);
      b_.tile = std::max(b_.tile, over ? room : bytes);
      ++use_.tiles;
      use_.overbooked += over ? 1 : 0;
      use_.bytes.push_back(bytes);
    }
  }
  const std::uint64_t groups_in_tile = std::min(width, tables_.n_tiles);
  for (std::uint64_t m = 0; m < tables_.m_tiles; ++m) {
    const std::uint64_t bytes = a_layout_->span(m, m + 1);
    const std::uint64_t head = resident_of(spec, bytes, mapping.a_room);
    check_window(spec, bytes, head, a_.chunk / 2);
    a_resident_.push_back(head);
    if (mapping.a_whole) continue;
    for (std::uint64_t n0 = 0; n0 < tables_.n_tiles; n0 += width) {
      const TileWalk walk{bytes, head, std::min(tables_.n_tiles, n0 + width) - n0};
      a_.total += walk.fetched();
      a_.again += walk.again();
    }
    // A group that serves one column group only passes.
    if (groups_in_tile > 1 || mapping.a_outer) {
      a_.tile =
          std::max(a_.tile, head < bytes ? static_cast<std::uint64_t>(mapping.a_room) : bytes);
    }
  }
  if (mapping.a_whole) a_.total = a_.tile = a_layout_->total();
  double z = 0;
  for (const double bytes : tables_.z_bytes) z += bytes;
  z_bytes_ = whole_near(z);
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

FabricProgram make_program(std::vector<ScheduledProduct> products, std::uint64_t capacity) {
  FabricProgram program;
  std::uint64_t a_tile = 0, b_tile = 0;
  bool a_stays = true, b_stays = true;
  double z = 0;
  for (const auto& [schedule, times] : products) {
    program.a_bytes += schedule->a().total * times;
    program.b_bytes += schedule->b().total * times;
    a_tile = std::max(a_tile, schedule->a().tile);
    b_tile = std::max(b_tile, schedule->b().tile);
    a_stays = a_stays && times == 1 && schedule->a().total == schedule->a().tile;
    b_stays = b_stays && times == 1 && schedule->b().total == schedule->b().tile;
    for (const double bytes : schedule->tables().z_bytes) z = std::max(z, bytes);
  }
  const std::uint64_t held = a_tile + b_tile;
  const std::uint64_t spare = capacity > held ? capacity - held : 0;
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
