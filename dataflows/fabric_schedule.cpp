// SPDX-License-Identifier: Apache-2.0
#include "dataflows/fabric_schedule.hpp"

#include <algorithm>
#include <utility>

#include "base/error.hpp"
#include "base/whole.hpp"

namespace lacuna {

/// Whole bytes of one operand as stored: where each chunk of a group starts, group after group.
struct FabricSchedule::Layout {
  std::vector<std::uint64_t> at;        // [group * chunks + chunk], one more at the end
  std::vector<std::uint64_t> metadata;  // of all groups before each, one more at the end
  std::uint64_t chunks = 0;

  Layout(const std::vector<FabricWords>& words, std::uint64_t chunks_, double word_bytes)
      : chunks(chunks_) {
    at.reserve(words.size() + 1);
    double sum = 0, of_metadata = 0;
    at.push_back(0);
    metadata.push_back(0);
    for (const FabricWords& w : words) {
      sum += w.all() * word_bytes;
      of_metadata += w.metadata * word_bytes;
      at.push_back(whole_near(sum));
      if ((at.size() - 1) % chunks == 0) metadata.push_back(whole_near(of_metadata));
    }
  }
  [[nodiscard]] std::uint64_t begin(std::uint64_t group, std::uint64_t chunk = 0) const {
    return at[group * chunks + chunk];
  }
  [[nodiscard]] std::uint64_t end(std::uint64_t group, std::uint64_t chunk) const {
    return at[group * chunks + chunk + 1];
  }
  [[nodiscard]] std::uint64_t total() const { return at.back(); }
  [[nodiscard]] std::uint64_t groups() const { return metadata.size() - 1; }
  [[nodiscard]] std::uint64_t span(std::uint64_t first, std::uint64_t last) const {
    return begin(last) - begin(first);
  }
  [[nodiscard]] std::uint64_t largest_chunk() const {
    std::uint64_t most = 0;
    for (std::size_t i = 1; i < at.size(); ++i) most = std::max(most, at[i] - at[i - 1]);
    return most;
  }
  /// Groups first .. last-1.
  [[nodiscard]] Segment segment(Tensor tensor, std::uint64_t first, std::uint64_t last) const {
    const std::uint64_t bytes = span(first, last);
    const std::uint64_t of_metadata = std::min(bytes, metadata[last] - metadata[first]);
    return {tensor, begin(first), bytes - of_metadata, of_metadata};
  }
};

namespace {

/// Groups in one tile of the outer operand.
std::uint64_t width_of(const FabricMapping& mapping) {
  const std::uint64_t width =
      mapping.a_outer ? mapping.tile_rows / mapping.rows : mapping.tile_columns / mapping.columns;
  return std::max<std::uint64_t>(1, width);
}

bool overflows(std::uint64_t bytes, const TileVisits& visits) {
  return visits.room > 0 && bytes > visits.room;
}

/// Bytes that an operand has in the buffer at least. What only passes: one chunk in use, one
/// arriving; what stays, or is walked again, has room for its tile.
std::uint64_t least_room(std::uint64_t total, std::uint64_t chunks, bool passes) {
  return passes ? std::clamp<std::uint64_t>(total, 1, chunks) : 1;
}

/// With pieces that hold nothing behind, if there are fewer than `count`.
std::vector<FabricWords> with_empty(std::vector<FabricWords> words, std::uint64_t count) {
  words.resize(std::max<std::size_t>(words.size(), count));
  return words;
}

/// Whether all that is fetched can be in the buffer together.
bool all_stays(const TileVisits& visits) {
  std::uint64_t walks = 0, bytes = 0;
  for (const std::uint64_t of_visit : visits.walks) walks += of_visit;
  const std::uint64_t times = visits.stays ? visits.walks.size() : walks;
  for (const std::uint64_t of_tile : visits.bytes) {
    bytes += of_tile * times;
  }
  return bytes == visits.together;
}

}  // namespace

/// Walks the loops: for each tile of the outer operand, each group of the inner one, each of the
/// tile's groups, each chunk. B is the outer operand, or A.
class Walker {
 public:
  explicit Walker(const FabricSchedule& schedule)
      : s_(schedule),
        p_(*schedule.product_),
        a_outer_(schedule.mapping_.a_outer),
        whole_(schedule.mapping_.a_whole),
        outer_(a_outer_ ? *schedule.a_layout_ : *schedule.b_layout_),
        inner_(a_outer_ ? *schedule.b_layout_ : *schedule.a_layout_),
        of_outer_(a_outer_ ? p_.a_visits : p_.b_visits),
        of_inner_(a_outer_ ? p_.b_visits : p_.a_visits),
        outer_groups_(outer_.groups()),
        inner_groups_(inner_.groups()) {}

  bool next(ArrayInstruction& instruction) {
    if (done_) return false;
    const std::uint64_t last = std::min(outer_groups_, first_ + s_.width_);
    instruction = {};
    instruction.m = a_outer_ ? group_ : walk_;
    instruction.n = a_outer_ ? walk_ : group_;
    instruction.chunk = chunk_;
    instruction.idle = instruction.m >= s_.rows_groups_;
    (a_outer_ ? instruction.a : instruction.b) = use_outer(last);
    (a_outer_ ? instruction.b : instruction.a) = use_inner(last);
    if (chunk_ + 1 == p_.chunks) instruction.z_bytes = z_bytes(instruction.m, instruction.n);
    advance(last);
    return true;
  }

 private:
  TileUse use_outer(std::uint64_t last) const {
    TileUse use = use_of(a_outer_ ? Tensor::a : Tensor::b, outer_, of_outer_, first_, last);
    use.visit = first_ / s_.width_;
    use.walk = walk_;
    use.walks = inner_groups_;
    use.begin = outer_.begin(group_, chunk_) - outer_.begin(first_);
    use.end = outer_.end(group_, chunk_) - outer_.begin(first_);
    return use;
  }

  /// Whole (A only): all groups are one tile that is used again and again, given back with the last
  /// group of B. Otherwise a group is a tile that is walked for each group of the outer tile, and
  /// comes again for the next one.
  TileUse use_inner(std::uint64_t last) const {
    const std::uint64_t first = whole_ ? 0 : walk_;
    TileUse use = use_of(a_outer_ ? Tensor::b : Tensor::a, inner_, of_inner_, first,
                         whole_ ? inner_groups_ : walk_ + 1);
    if (whole_) {
      use.kept = group_ + 1 != outer_groups_;
    } else {
      use.visit = first_ / s_.width_ * inner_groups_ + walk_;
      use.walk = group_ - first_;
      use.walks = last - first_;
    }
    use.begin = inner_.begin(walk_, chunk_) - inner_.begin(first);
    use.end = inner_.end(walk_, chunk_) - inner_.begin(first);
    return use;
  }

  static TileUse use_of(Tensor tensor, const FabricSchedule::Layout& layout,
                        const TileVisits& visits, std::uint64_t first, std::uint64_t last) {
    TileUse use;
    use.tile = layout.segment(tensor, first, last);
    use.room = visits.room;
    use.stays = visits.stays;
    return use;
  }

  std::uint64_t z_bytes(std::uint64_t m, std::uint64_t n) {
    z_sum_ += s_.z_bytes_of(m, n);
    const auto upto = whole_near(z_sum_);
    return upto - std::exchange(z_given_, upto);
  }

  void advance(std::uint64_t last) {
    if (++chunk_ < p_.chunks) return;
    chunk_ = 0;
    if (++group_ < last) return;
    group_ = first_;
    if (++walk_ < inner_groups_) return;
    walk_ = 0;
    first_ = group_ = last;
    done_ = first_ == outer_groups_;
  }

  const FabricSchedule& s_;
  const ArrayProduct& p_;
  bool a_outer_, whole_;
  const FabricSchedule::Layout& outer_;
  const FabricSchedule::Layout& inner_;
  const TileVisits& of_outer_;
  const TileVisits& of_inner_;
  std::uint64_t outer_groups_, inner_groups_;
  std::uint64_t first_ = 0, group_ = 0;  // of the outer operand: the tile's first, this one
  std::uint64_t walk_ = 0, chunk_ = 0;   // group of the inner operand
  double z_sum_ = 0;
  std::uint64_t z_given_ = 0;
  bool done_ = false;
};

FabricSchedule::FabricSchedule(ArrayProduct product, const FabricMapping& mapping,
                               double word_bytes, std::uint64_t a_groups)
    : mapping_(mapping),
      a_layout_(std::make_shared<Layout>(with_empty(product.a, a_groups * product.chunks),
                                         product.chunks, word_bytes * product.a_footprint)),
      b_layout_(
          std::make_shared<Layout>(product.b, product.chunks, word_bytes * product.b_footprint)),
      word_bytes_(word_bytes),
      rows_groups_(product.a.size() / product.chunks),
      width_(width_of(mapping)) {
  for (const bool of_a : {true, false}) {
    const Layout& layout = of_a ? *a_layout_ : *b_layout_;
    TileVisits& visits = of_a ? product.a_visits : product.b_visits;
    visits.room = static_cast<std::uint64_t>(of_a ? mapping.a_room : mapping.b_room);
    visits.piece = std::max<std::uint64_t>(1, layout.largest_chunk());
    of_a == mapping.a_outer ? lay_out_tiles(layout, visits) : lay_out_groups(layout, visits);
    (of_a ? a_stays_ : b_stays_) = all_stays(visits);
  }
  product_ = std::make_shared<ArrayProduct>(std::move(product));
}

/// Of the outer operand: each tile is walked once for each group of the inner one.
void FabricSchedule::lay_out_tiles(const Layout& layout, TileVisits& visits) {
  const bool a_outer = mapping_.a_outer;
  visits.stays = a_outer || mapping_.b_resident;
  visits.together = least_room(layout.total(), mapping_.passing * visits.piece, !visits.stays);
  visits.walks = {(a_outer ? *b_layout_ : *a_layout_).groups()};
  for (std::uint64_t first = 0; first < layout.groups(); first += width_) {
    const std::uint64_t bytes = layout.span(first, std::min(layout.groups(), first + width_));
    visits.bytes.push_back(bytes);
    if (!visits.stays) continue;
    const bool over = overflows(bytes, visits);
    visits.together = std::max(visits.together, over ? visits.room : bytes);
    if (a_outer) continue;
    ++use_.tiles;
    use_.overbooked += over ? 1 : 0;
    use_.bytes.push_back(bytes);
  }
}

/// Of the inner operand: each group is walked once for each group of an outer tile, and comes again
/// for the next tile, or all of it stays.
void FabricSchedule::lay_out_groups(const Layout& layout, TileVisits& visits) const {
  if (mapping_.a_whole) {
    visits.bytes = {layout.total()};
    visits.walks = {1};
    visits.together = layout.total();
    return;
  }
  const std::uint64_t outer_groups = (mapping_.a_outer ? *a_layout_ : *b_layout_).groups();
  for (std::uint64_t first = 0; first < outer_groups; first += width_) {
    visits.walks.push_back(std::min(outer_groups, first + width_) - first);
  }
  // A group that serves one group of the outer operand only passes.
  const bool passes = std::min(width_, outer_groups) == 1;
  visits.together = least_room(layout.total(), mapping_.passing * visits.piece, passes);
  for (std::uint64_t group = 0; group < layout.groups(); ++group) {
    const std::uint64_t bytes = layout.span(group, group + 1);
    visits.bytes.push_back(bytes);
    if (passes) continue;
    visits.together = std::max(visits.together, overflows(bytes, visits) ? visits.room : bytes);
  }
}

double FabricSchedule::z_bytes_of(std::uint64_t m, std::uint64_t n) const {
  return m >= rows_groups_ ? 0 : product_->z_words_of(m, n) * word_bytes_;
}

double FabricSchedule::most_z_bytes() const {
  return z_bytes_of(0, 0);
}

ArrayWalk FabricSchedule::walk() const {
  auto walker = std::make_shared<Walker>(*this);
  return [walker](ArrayInstruction& instruction) { return walker->next(instruction); };
}

namespace {

/// One product after another, each as often as it occurs; visits go on.
class Sequence {
 public:
  using Products = std::shared_ptr<const std::vector<ScheduledProduct>>;
  explicit Sequence(Products products) : products_(std::move(products)) {}

  bool next(ArrayInstruction& instruction) {
    for (; at_ < products_->size(); advance()) {
      const FabricSchedule& schedule = *product().blocks[block_];
      if (!walk_) walk_ = schedule.walk();
      if (walk_(instruction)) {
        instruction.part = first_part_ + block_;
        instruction.run = runs_;
        instruction.a.visit += a_visits_;
        instruction.b.visit += b_visits_;
        return true;
      }
      walk_ = nullptr;
      a_visits_ += schedule.product()->a_visits.visits();
      b_visits_ += schedule.product()->b_visits.visits();
    }
    return false;
  }

 private:
  [[nodiscard]] const ScheduledProduct& product() const { return (*products_)[at_]; }
  void advance() {
    ++runs_;
    if (++block_ < product().blocks.size()) return;
    block_ = 0;
    if (++done_ < product().times) return;
    done_ = 0;
    first_part_ += product().blocks.size();
    ++at_;
  }

  Products products_;
  ArrayWalk walk_;
  std::size_t at_ = 0, block_ = 0, first_part_ = 0;
  std::uint64_t done_ = 0, runs_ = 0, a_visits_ = 0, b_visits_ = 0;
};

}  // namespace

ArrayProgram make_program(std::vector<ScheduledProduct> products, std::uint64_t capacity) {
  ArrayProgram program;
  bool a_stays = true, b_stays = true;
  std::uint64_t a_tile = 0, b_tile = 0;
  double z = 0;
  for (const auto& [blocks, times] : products) {
    const bool once = times == 1 && blocks.size() == 1;
    for (const auto& schedule : blocks) {
      program.parts.push_back({schedule->product(), times, {}});
      a_stays = a_stays && once && schedule->a_stays();
      b_stays = b_stays && once && schedule->b_stays();
      a_tile = std::max(a_tile, schedule->product()->a_visits.together);
      b_tile = std::max(b_tile, schedule->product()->b_visits.together);
      z = std::max(z, schedule->most_z_bytes());
    }
  }
  LACUNA_CHECK(a_tile + b_tile <= capacity, "{} and {} bytes of A and B in a buffer of {}", a_tile,
               b_tile, capacity);
  const std::uint64_t spare = capacity - a_tile - b_tile;
  const bool one = program.parts.size() == 1;
  const std::uint64_t for_a = one && a_stays ? 0 : one && b_stays ? spare : spare / 2;
  program.operations.push_back(
      {program.parts.size(), {a_tile + for_a, b_tile + spare - for_a, whole_up(z)}});
  program.walk = [all = std::make_shared<const std::vector<ScheduledProduct>>(
                      std::move(products))]() -> ArrayWalk {
    return [sequence = Sequence(all)](ArrayInstruction& instruction) mutable {
      return sequence.next(instruction);
    };
  };
  return program;
}

}  // namespace lacuna
