// SPDX-License-Identifier: Apache-2.0
#include "dataflows/fabric_mapping.hpp"

#include <algorithm>
#include <tuple>
#include <vector>

#include "base/error.hpp"

namespace lacuna {
namespace {

constexpr std::uint64_t kLeastColumns = 16;

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

class Candidates {
 public:
  Candidates(const FabricSpec& spec, const FabricSizes& sizes)
      : sizes_(sizes), capacity_(static_cast<double>(spec.glb.capacity.count())) {
    const FabricShape& s = sizes.shape;
    a_bytes_ = sizes.a_row_bytes * static_cast<double>(s.m);
    b_bytes_ = sizes.b_column_bytes * static_cast<double>(s.n);
  }

  void add(FabricMapping mapping) {
    for (const bool whole : {true, false}) add_b_outer(mapping, whole);
    add_a_outer(mapping);
    add_streamed(mapping);
  }
  [[nodiscard]] const FabricMapping& best() const { return best_; }

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
    const auto key = std::make_tuple(traffic, -static_cast<double>(mapping.columns));
    if (best_.rows != 0 && key >= key_) return;
    best_ = mapping;
    key_ = key;
  }

  static constexpr double kWindow = 1.0 / 16;  // parameter: the share a passing operand needs

  const FabricSizes& sizes_;
  double capacity_, a_bytes_ = 0, b_bytes_ = 0;
  FabricMapping best_;
  std::tuple<double, double> key_{0, 0};
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

}  // namespace lacuna
