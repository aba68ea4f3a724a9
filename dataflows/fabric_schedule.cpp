// SPDX-License-Identifier: Apache-2.0
#include "dataflows/fabric_schedule.hpp"

#include <algorithm>
#include <cmath>
#include <memory>

#include "base/error.hpp"

namespace lacuna {
namespace {

/// Whole bytes of one operand: where each chunk of a tile starts, tile after tile.
struct Layout {
  std::vector<std::uint64_t> at;  // [tile * chunks + chunk], one more at the end
  std::uint64_t chunks = 0;

  Layout(const std::vector<FabricWords>& words, std::uint64_t chunks_, double word_bytes)
      : chunks(chunks_) {
    at.reserve(words.size() + 1);
    double sum = 0;
    at.push_back(0);
    for (const FabricWords& w : words) {
      sum += w.all() * word_bytes;
      at.push_back(static_cast<std::uint64_t>(std::llround(sum)));
    }
  }
  [[nodiscard]] std::uint64_t end(std::uint64_t tile, std::uint64_t chunk) const {
    return at[tile * chunks + chunk + 1];
  }
  [[nodiscard]] std::uint64_t bytes(std::uint64_t tile, std::uint64_t chunk) const {
    return at[tile * chunks + chunk + 1] - at[tile * chunks + chunk];
  }
  [[nodiscard]] std::uint64_t total() const { return at.back(); }
  [[nodiscard]] std::uint64_t span(std::uint64_t first, std::uint64_t last) const {
    return at[last * chunks] - at[first * chunks];
  }
};

std::uint64_t largest_chunk(const Layout& layout) {
  std::uint64_t most = 0;
  for (std::size_t i = 1; i < layout.at.size(); ++i) {
    most = std::max(most, layout.at[i] - layout.at[i - 1]);
  }
  return most;
}

std::uint64_t largest_span(const Layout& layout, std::uint64_t tiles, std::uint64_t width) {
  std::uint64_t most = 0;
  for (std::uint64_t t = 0; t < tiles; t += width) {
    most = std::max(most, layout.span(t, std::min(tiles, t + width)));
  }
  return most;
}

/// Column groups of one resident tile of B.
std::uint64_t width_of(const FabricMapping& mapping) {
  return mapping.tile_columns / mapping.columns;
}

/// Walks the loops. B outer: for each tile of B, each row group, each of the tile's column groups,
/// each chunk. A outer: for each row group, each column group, each chunk.
class Walker {
 public:
  Walker(FabricTables tables, const FabricMapping& mapping)
      : t_(std::move(tables)),
        map_(mapping),
        a_(t_.a, t_.chunks, t_.word_bytes),
        b_(t_.b, t_.chunks, t_.word_bytes),
        width_(width_of(mapping)) {}

  bool next(FabricStep& step) {
    if (done_) return false;
    const std::uint64_t last_n = map_.a_outer ? t_.n_tiles : std::min(t_.n_tiles, n0_ + width_);
    step = {};
    const std::uint64_t n_of_a = map_.a_whole ? t_.n_tiles : last_n;
    // A: fetched once per pass over its rows, given back when its last column group has used it.
    step.a_needed = a_base_ + a_.end(m_, chunk_);
    if (n_ + 1 == n_of_a) step.a_release = a_.bytes(m_, chunk_);
    step.b_needed = b_base_ + b_.end(n_, chunk_);
    const bool last_use_of_b = map_.a_outer || !map_.b_resident || m_ + 1 == t_.m_tiles;
    if (last_use_of_b) step.b_release = b_.bytes(n_, chunk_);
    const std::uint64_t tile = m_ * t_.n_tiles + n_;
    step.cycles = t_.cycles[tile * t_.chunks + chunk_];
    if (chunk_ + 1 == t_.chunks) step.z_bytes = z_bytes(tile);
    advance(last_n);
    return true;
  }

  [[nodiscard]] const Layout& a() const { return a_; }
  [[nodiscard]] const Layout& b() const { return b_; }

 private:
  std::uint64_t z_bytes(std::uint64_t tile) {
    z_sum_ += t_.z_bytes[tile];
    const auto upto = static_cast<std::uint64_t>(std::llround(z_sum_));
    const std::uint64_t bytes = upto - z_given_;
    z_given_ = upto;
    return bytes;
  }

  void advance(std::uint64_t last_n) {
    if (++chunk_ < t_.chunks) return;
    chunk_ = 0;
    if (++n_ < last_n) return;
    if (map_.a_outer) {
      n_ = 0;
      b_base_ += b_.total();
      done_ = ++m_ == t_.m_tiles;
      return;
    }
    n_ = n0_;
    // A tile of B that does not stay comes again for the next rows.
    if (!map_.b_resident && m_ + 1 < t_.m_tiles) b_base_ += b_.span(n0_, last_n);
    if (++m_ < t_.m_tiles) return;
    m_ = 0;
    n0_ = n_ = last_n;
    if (!map_.a_whole) a_base_ += a_.total();
    done_ = n0_ == t_.n_tiles;
  }

  FabricTables t_;
  FabricMapping map_;
  Layout a_, b_;
  std::uint64_t width_;
  std::uint64_t m_ = 0, n_ = 0, n0_ = 0, chunk_ = 0;
  std::uint64_t a_base_ = 0, b_base_ = 0;
  double z_sum_ = 0;
  std::uint64_t z_given_ = 0;
  bool done_ = false;
};

std::uint64_t window(const Layout& layout) {
  return std::max<std::uint64_t>(1, 2 * largest_chunk(layout));
}

FabricFootprint footprint_of_a(const Layout& a, const FabricTables& t, const FabricMapping& map) {
  FabricFootprint f;
  f.total = a.total() * (map.a_outer || map.a_whole ? 1 : ceil_div(t.n_tiles, width_of(map)));
  f.chunk = window(a);
  f.tile = f.chunk;
  if (map.a_whole)
    f.tile = std::max(f.tile, a.total());
  else if (map.a_outer || width_of(map) > 1)
    f.tile = std::max(f.tile, largest_span(a, t.m_tiles, 1));
  return f;
}

FabricFootprint footprint_of_b(const Layout& b, const FabricTables& t, const FabricMapping& map) {
  FabricFootprint f;
  f.total = b.total() * (map.a_outer || !map.b_resident ? t.m_tiles : 1);
  f.chunk = window(b);
  f.tile = f.chunk;
  if (map.b_resident) f.tile = std::max(f.tile, largest_span(b, t.n_tiles, width_of(map)));
  return f;
}

}  // namespace

FabricFootprint a_footprint(const FabricTables& tables, const FabricMapping& mapping) {
  return footprint_of_a(Layout(tables.a, tables.chunks, tables.word_bytes), tables, mapping);
}

FabricFootprint b_footprint(const FabricTables& tables, const FabricMapping& mapping) {
  return footprint_of_b(Layout(tables.b, tables.chunks, tables.word_bytes), tables, mapping);
}

FabricProgram make_program(FabricTables tables, const FabricMapping& mapping,
                           std::uint64_t capacity) {
  const FabricFootprint a = a_footprint(tables, mapping);
  const FabricFootprint b = b_footprint(tables, mapping);
  FabricProgram program;
  program.a_bytes = a.total;
  program.b_bytes = b.total;
  const std::uint64_t held = a.tile + b.tile;
  const std::uint64_t spare = capacity > held ? capacity - held : 0;
  const std::uint64_t for_a = mapping.a_whole ? 0 : b.total == b.tile ? spare : spare / 2;
  program.a_capacity = a.tile + for_a;
  program.b_capacity = b.tile + spare - for_a;
  double z = 0;
  for (const double bytes : tables.z_bytes) z = std::max(z, bytes);
  program.z_backlog = static_cast<std::uint64_t>(std::ceil(z));
  auto walker = std::make_shared<Walker>(std::move(tables), mapping);
  program.next = [walker](FabricStep& step) { return walker->next(step); };
  return program;
}

}  // namespace lacuna
