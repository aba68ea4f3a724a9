// SPDX-License-Identifier: Apache-2.0
#include "dataflows/fabric_mapping.hpp"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace lacuna {
namespace {

constexpr std::uint64_t kLeastColumns = 16;
constexpr double kWindow = 1.0 / 16;  // parameter: the share of the buffer a passing operand needs

struct ArrayTile {
  std::uint64_t rows, columns;
};

std::vector<ArrayTile> array_tiles(const FabricSpec& spec, std::uint64_t n) {
  std::vector<ArrayTile> tiles;
  const auto& arrays = spec.arrays;
  if (arrays.dataflow == FabricDataflow::outer_product) {
    for (const auto& [rows, columns] : arrays.tiles) tiles.push_back({rows, columns});
    return tiles;
  }
  // Fewer columns than the RF has room for, when that lets an operand stay in the buffer.
  std::uint64_t columns = std::min(arrays.columns, ceil_div(n, arrays.across_n));
  for (; columns > 0; columns /= 2) {
    tiles.push_back({arrays.rows, columns});
    if (columns <= kLeastColumns) break;
  }
  return tiles;
}

/// Collects mappings with their time and traffic; see the header for the choice.
class Best {
 public:
  void consider(const FabricMapping& mapping, double cycles, double traffic) {
    all_.push_back({mapping, cycles, traffic});
  }
  [[nodiscard]] FabricMapping mapping() const {
    double fastest = all_.front().cycles;
    for (const Candidate& c : all_) fastest = std::min(fastest, c.cycles);
    const Candidate* best = nullptr;
    for (const Candidate& c : all_) {
      if (c.cycles > fastest * kAboutAsFast) continue;
      if (best == nullptr || c.key() < best->key()) best = &c;
    }
    return best->mapping;
  }

 private:
  static constexpr double kAboutAsFast = 1.05;  // parameter: a mapper's taste, traffic over time
  struct Candidate {
    FabricMapping mapping;
    double cycles, traffic;
    [[nodiscard]] std::pair<double, double> key() const {
      return {traffic, -static_cast<double>(mapping.columns)};
    }
  };
  std::vector<Candidate> all_;
};

/// Cycles of the buffer's port for one product.
double port_cycles(const FabricDemand& demand, const FabricMapping& mapping, std::uint64_t m,
                   std::uint64_t n) {
  return (demand.a_words * static_cast<double>(ceil_div(n, mapping.columns)) +
          demand.b_words * static_cast<double>(ceil_div(m, mapping.rows))) /
         demand.port_words;
}

class Candidates {
 public:
  Candidates(const FabricSpec& spec, const FabricSizes& sizes)
      : sizes_(sizes),
        capacity_(sizes.capacity > 0 ? sizes.capacity
                                     : static_cast<double>(spec.glb.capacity.count())) {
    const FabricShape& s = sizes.shape;
    a_bytes_ = sizes.a_row_bytes * static_cast<double>(s.m);
    b_bytes_ = sizes.b_column_bytes * static_cast<double>(s.n);
  }

  void add(FabricMapping mapping) {
    for (const bool whole : {true, false}) add_b_outer(mapping, whole);
    add_a_outer(mapping);
    add_streamed(mapping);
  }
  [[nodiscard]] FabricMapping best() const { return best_.mapping(); }

 private:
  /// The widest tile of B that leaves room for A.
  void add_b_outer(FabricMapping mapping, bool whole) {
    mapping.a_whole = whole;
    mapping.b_resident = true;
    const double group = sizes_.a_row_bytes * static_cast<double>(mapping.rows);
    bool fits = false;
    for (std::uint64_t wide = mapping.columns;; wide *= 2) {
      const double tile =
          sizes_.b_column_bytes * static_cast<double>(std::min(wide, sizes_.shape.n));
      // A group of rows that serves one output tile only passes through a window.
      const double a = whole ? a_bytes_ : wide > mapping.columns ? group : kWindow * capacity_;
      if (a + tile > capacity_) break;
      fits = true;
      mapping.tile_columns = wide;
      if (wide >= sizes_.shape.n) break;
    }
    if (!fits) return;
    mapping.a_fetches = whole ? 1 : ceil_div(sizes_.shape.n, mapping.tile_columns);
    consider(mapping);
  }

  void add_a_outer(FabricMapping mapping) {
    mapping.a_outer = true;
    mapping.tile_columns = mapping.columns;
    const double group = sizes_.a_row_bytes * static_cast<double>(mapping.rows);
    if (group + kWindow * capacity_ > capacity_) return;
    mapping.b_fetches = ceil_div(sizes_.shape.m, mapping.rows);
    consider(mapping);
  }

  /// Nothing stays: always possible.
  void add_streamed(FabricMapping mapping) {
    mapping.tile_columns = mapping.columns;
    mapping.a_fetches = ceil_div(sizes_.shape.n, mapping.columns);
    mapping.b_fetches = ceil_div(sizes_.shape.m, mapping.rows);
    consider(mapping);
  }

  void consider(const FabricMapping& mapping) {
    const double traffic = a_bytes_ * static_cast<double>(mapping.a_fetches) +
                           b_bytes_ * static_cast<double>(mapping.b_fetches);
    const FabricDemand& demand = sizes_.demand;
    const double port = port_cycles(demand, mapping, sizes_.shape.m, sizes_.shape.n);
    const double dram = demand.a_words > 0 ? traffic / demand.dram_bytes : 0;
    best_.consider(mapping, std::max({demand.compute_cycles, port, dram}), traffic);
  }

  const FabricSizes& sizes_;
  double capacity_, a_bytes_ = 0, b_bytes_ = 0;
  Best best_;
};

/// The same loop orders, with tiles sized by what they hold and room for one that overflows.
class TiledCandidates {
 public:
  TiledCandidates(const FabricSpec& spec, const FabricHoldings& holdings)
      : spec_(spec), h_(holdings) {}

  void add(FabricMapping mapping) {
    a_groups_ = h_.a_groups(mapping.rows);
    b_groups_ = h_.b_groups(mapping.columns);
    a_bytes_ = std::accumulate(a_groups_.begin(), a_groups_.end(), 0.0);
    b_bytes_ = 0;
    for (const ColumnGroups& product : b_groups_) {
      b_bytes_ += static_cast<double>(product.times) *
                  std::accumulate(product.bytes.begin(), product.bytes.end(), 0.0);
    }
    add_b_outer(mapping, true, 0);
    const double fullest = upper_quantile(a_groups_, 1), room = overbooked_room_of_a();
    add_b_outer(mapping, false, fullest);
    if (room < fullest) add_b_outer(mapping, false, room);
    add_a_outer(mapping);
    add_streamed(mapping);
  }
  [[nodiscard]] FabricMapping best() const { return best_.mapping(); }

 private:
  [[nodiscard]] double walks() const { return static_cast<double>(a_groups_.size()); }

  [[nodiscard]] ColumnTile size_tile(double room) const {
    return spec_.tiling.strategy == TilingStrategy::swiftiles
               ? swiftiles_columns(b_groups_, room, spec_.tiling)
               : prescient_columns(b_groups_, room);
  }

  /// Room for all but a share y of the groups of A's rows, where the rest may overflow.
  [[nodiscard]] double overbooked_room_of_a() const {
    const bool overbooks = spec_.tiling.strategy == TilingStrategy::swiftiles &&
                           spec_.glb.policy == BufferPolicy::tailors;
    return upper_quantile(a_groups_, overbooks ? 1 - spec_.tiling.overbooked_share : 1);
  }

  void add_b_outer(FabricMapping mapping, bool whole, double a_room) {
    mapping.a_whole = whole;
    mapping.b_resident = true;
    mapping.a_room = a_room;
    mapping.b_room = h_.capacity - (whole ? a_bytes_ : a_room);
    ColumnTile tile;
    if (mapping.b_room > 0) tile = size_tile(mapping.b_room);
    if (!whole && tile.groups <= 1) {
      // A group of rows that serves one output tile only passes through a window.
      const double work = tile.work_bytes;
      mapping.a_room = 0;
      mapping.b_room = (1 - kWindow) * h_.capacity;
      tile = size_tile(mapping.b_room);
      tile.work_bytes += work;
      tile.groups = std::min<std::uint64_t>(tile.groups, 1);
    }
    if (tile.groups == 0) return;
    mapping.tile_columns = tile.groups * mapping.columns;
    mapping.tiling_work_bytes = tile.work_bytes;
    consider(mapping, traffic_of(mapping, tile));
  }

  /// Bytes that A's groups fetch in one tile of B of `walks` column groups.
  [[nodiscard]] double a_fetched(const FabricMapping& mapping, double walks) const {
    double bytes = a_bytes_;
    if (mapping.a_room <= 0) return bytes;
    for (const double group : a_groups_) {
      bytes += (walks - 1) * (group - resident_bytes(spec_, group, mapping.a_room));
    }
    return bytes;
  }

  void consider(const FabricMapping& mapping, double traffic) {
    double compute = 0, port = 0, dram_bytes = 1;
    for (std::size_t p = 0; p < h_.n.size(); ++p) {
      const auto times = static_cast<double>(b_groups_[p].times);
      compute += times * h_.demand[p].compute_cycles;
      port += times * port_cycles(h_.demand[p], mapping, h_.m, h_.n[p]);
      dram_bytes = h_.demand[p].dram_bytes;
    }
    best_.consider(mapping, std::max({compute, port, traffic / dram_bytes}), traffic);
  }

  [[nodiscard]] double traffic_of(const FabricMapping& mapping, const ColumnTile& tile) const {
    double tiles = 0, a = 0;
    for (std::size_t p = 0; p < h_.n.size(); ++p) {
      const auto of_product = static_cast<double>(ceil_div(h_.n[p], mapping.tile_columns));
      const auto times = static_cast<double>(b_groups_[p].times);
      tiles += times * of_product;
      if (mapping.a_whole) {
        a += times * a_bytes_;
      } else {
        const double walks = static_cast<double>(ceil_div(h_.n[p], mapping.columns)) / of_product;
        a += times * of_product * a_fetched(mapping, walks);
      }
    }
    double again = 0;  // of the tiles that were looked at
    for (const double bytes : tile.seen) {
      again += (walks() - 1) * (bytes - resident_bytes(spec_, bytes, mapping.b_room));
    }
    const double b = tile.seen.empty() ? 0 : again / static_cast<double>(tile.seen.size()) * tiles;
    return a + b_bytes_ + b;
  }

  void add_a_outer(FabricMapping mapping) {
    mapping.a_outer = true;
    mapping.tile_columns = mapping.columns;
    if (upper_quantile(a_groups_, 1) + kWindow * h_.capacity > h_.capacity) return;
    consider(mapping, a_bytes_ * static_cast<double>(products()) + b_bytes_ * walks());
  }

  void add_streamed(FabricMapping mapping) {
    mapping.tile_columns = mapping.columns;
    double a = 0;
    for (const ColumnGroups& product : b_groups_) {
      a += static_cast<double>(product.times * product.bytes.size()) * a_bytes_;
    }
    consider(mapping, a + b_bytes_ * walks());
  }

  [[nodiscard]] std::uint64_t products() const {
    std::uint64_t sum = 0;
    for (const ColumnGroups& product : b_groups_) sum += product.times;
    return sum;
  }

  const FabricSpec& spec_;
  const FabricHoldings& h_;
  std::vector<double> a_groups_;
  std::vector<ColumnGroups> b_groups_;
  double a_bytes_ = 0, b_bytes_ = 0;
  Best best_;
};

FabricMapping mapping_of(const FabricSpec& spec, ArrayTile tile) {
  FabricMapping mapping;
  mapping.array_rows = tile.rows;
  mapping.array_columns = tile.columns;
  mapping.rows = tile.rows * spec.arrays.across_m;
  mapping.columns = tile.columns * spec.arrays.across_n;
  return mapping;
}

}  // namespace

FabricMapping choose_mapping(const FabricSpec& spec, const FabricSizes& sizes) {
  Candidates candidates(spec, sizes);
  const FabricShape& s = sizes.shape;
  for (const FabricMappingChoice& choice : spec.mappings) {
    if (choice.m != s.m || choice.n != s.n || choice.k != s.k) continue;
    if (sizes.a_density < choice.a_density_from || sizes.a_density > choice.a_density_to) continue;
    FabricMapping mapping = mapping_of(spec, {choice.tile_rows, choice.tile_columns});
    if (choice.a_outer) {
      mapping.a_outer = true;
      mapping.tile_columns = mapping.columns;
      mapping.b_fetches = ceil_div(s.m, mapping.rows);
      return mapping;
    }
    if (choice.b_tile_columns > 0) {
      mapping.b_resident = true;
      mapping.tile_columns = choice.b_tile_columns;
      mapping.a_fetches = ceil_div(s.n, mapping.tile_columns);
      return mapping;
    }
    candidates.add(mapping);
    return candidates.best();
  }
  for (const ArrayTile& tile : array_tiles(spec, s.n)) candidates.add(mapping_of(spec, tile));
  return candidates.best();
}

FabricMapping choose_tiled_mapping(const FabricSpec& spec, const FabricHoldings& holdings) {
  TiledCandidates candidates(spec, holdings);
  const std::uint64_t n = *std::max_element(holdings.n.begin(), holdings.n.end());
  for (const ArrayTile& tile : array_tiles(spec, n)) candidates.add(mapping_of(spec, tile));
  return candidates.best();
}

FabricMapping for_product(FabricMapping mapping, FabricShape shape) {
  if (mapping.a_outer) {
    mapping.b_fetches = ceil_div(shape.m, mapping.rows);
  } else if (mapping.b_resident) {
    const std::uint64_t all = ceil_div(shape.n, mapping.columns) * mapping.columns;
    mapping.tile_columns = std::min(mapping.tile_columns, all);
    mapping.a_fetches = mapping.a_whole ? 1 : ceil_div(shape.n, mapping.tile_columns);
  } else {
    mapping.a_fetches = ceil_div(shape.n, mapping.columns);
    mapping.b_fetches = ceil_div(shape.m, mapping.rows);
  }
  return mapping;
}

double resident_bytes(const FabricSpec& spec, double bytes, double room) {
  if (room <= 0 || bytes <= room) return bytes;
  if (spec.glb.policy == BufferPolicy::buffet) return 0;
  return std::max(0.0, room - static_cast<double>(spec.glb.window.count()));
}

}  // namespace lacuna
