// SPDX-License-Identifier: Apache-2.0
#include "dataflows/fabric_mapping.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <tuple>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/statistics.hpp"
#include "base/whole.hpp"
#include "dataflows/array_tiles.hpp"
#include "dataflows/mapping_candidates.hpp"

namespace lacuna {
namespace {

// Parameters of the mapper's taste.
// A byte read from the buffer beside one from DRAM, which is written into the buffer too: order of
// magnitude of the tables (45 nm: 4.5 pJ against 64 + 5; LPDDR4).
constexpr double kPortByte = 1.0 / 16;
// Narrower columns are looked at only when nothing else fits: the arrays' registers stay empty.
constexpr std::uint64_t kLeastColumns = 16;
// What a tile sized by its contents may take of the room: less leaves space for the next.
constexpr double kShares[] = {1, 0.75, 0.5};

/// B as one product stores it, cut into the column groups of a mapping.
struct Columns {
  std::vector<double> sums;  // of whole groups, from zero
  [[nodiscard]] double most_of(std::uint64_t width) const {
    double most = 0;
    const std::uint64_t groups = sums.size() - 1;
    for (std::uint64_t at = 0; at < groups; at += width) {
      most = std::max(most, sums[std::min(groups, at + width)] - sums[at]);
    }
    return most;
  }
  [[nodiscard]] std::uint64_t groups() const { return sums.size() - 1; }
  [[nodiscard]] double total() const { return sums.back(); }
};

class Mapper {
 public:
  Mapper(const FabricSpec& spec, const ICostModel& machine, const FabricHoldings& holdings)
      : spec_(spec), machine_(machine), h_(holdings) {}

  FabricChoice choose() {
    std::uint64_t n = 0;
    for (const FabricLoad& product : h_.products) n = std::max(n, product.n);
    const bool certain_tiles = !spec_.arrays.tiles.empty();
    double fewest = std::numeric_limits<double>::infinity();
    for (const std::uint64_t passing : {std::uint64_t{2}, std::uint64_t{1}}) {
      if (h_.given != nullptr && h_.given->passing > 0 && h_.given->passing != passing) continue;
      for (const std::uint64_t least : {kLeastColumns, std::uint64_t{1}}) {
        for (const ArrayTile& tile : array_tiles(spec_, h_.given, n, least)) {
          stop_if_requested();
          add(tile, passing);
          if (certain_tiles || h_.considered != nullptr)
            continue;  // each uses its lanes its own way
          fewest = std::min(fewest, least_cycles());
          if (const auto ideal = candidates_.ideal(bytes_once(), fewest)) return {ideal, true};
        }
        if (!candidates_.empty()) return {candidates_.choose(h_.denser)};
      }
    }
    return {{}, false, least_a_, least_b_};
  }

 private:
  void add(ArrayTile tile, std::uint64_t passing) {
    FabricMapping mapping;
    mapping.array_rows = tile.rows;
    mapping.array_columns = tile.columns;
    mapping.rows = tile.rows * spec_.arrays.across_m;
    mapping.columns = tile.columns * spec_.arrays.across_n;
    mapping.passing = passing;
    const FabricMappingChoice* given = h_.given;
    if (given != nullptr && given->b_tile_columns % mapping.columns != 0) return;
    measure(mapping);
    // Narrow columns make many instructions: not more than are taken, if wider ones make fewer.
    const double instructions =
        rows_groups() * real(most_columns()) * real(h_.chunk(mapping).pieces);
    if (instructions > kMostInstructions && !candidates_.empty()) return;
    const FabricOuter order = order_of(given);
    const bool a_only = order == FabricOuter::a;
    const bool none_stays = stays() == FabricStays::none;
    const bool b_only = order == FabricOuter::b || stays() != FabricStays::free;
    if (!a_only && !none_stays) {
      h_.b_column_most ? add_b_outer(mapping) : add_b_outer_by_contents(mapping);
    }
    if (!b_only) add_a_outer(mapping);
    bool streamed =
        given == nullptr ? order == FabricOuter::free : !a_only && given->b_tile_columns == 0;
    if (stays() != FabricStays::free) streamed = none_stays;
    if (streamed) add_streamed(mapping);
  }

  /// As the product's mapping is given.
  [[nodiscard]] FabricStays stays() const {
    return h_.given != nullptr ? h_.given->stays : FabricStays::free;
  }
  [[nodiscard]] bool may_stay(bool whole_a) const {
    return stays() == FabricStays::free || (stays() == FabricStays::both) == whole_a;
  }

  /// Whose tiles are the outer loop: the product's, or the machine's.
  [[nodiscard]] FabricOuter order_of(const FabricMappingChoice* given) const {
    if (given == nullptr) return spec_.order;
    if (given->outer != FabricOuter::free) return given->outer;
    return given->b_tile_columns > 0 ? FabricOuter::b : spec_.order;
  }

  /// What the mappings with these rows and columns have in common.
  void measure(const FabricMapping& mapping) {
    chunk_ = h_.chunk(mapping);
    const bool certain_tiles = !spec_.arrays.tiles.empty();
    const std::uint64_t key = certain_tiles ? mapping.array_rows : mapping.rows;
    if (key != measured_rows_) {
      measured_rows_ = key;
      a_groups_ = h_.a_groups(mapping);
      a_sums_.sums.assign(1, 0.0);
      for (const double bytes : a_groups_) a_sums_.sums.push_back(a_sums_.total() + bytes);
      a_fullest_ = *std::max_element(a_groups_.begin(), a_groups_.end());
      a_tiles_.clear();
      for (const std::uint64_t width : distinct_widths(a_groups_.size())) {
        a_tiles_.emplace_back(width, a_sums_.most_of(width));
      }
    }
    columns_.clear();
    unit_cycles_.clear();
    for (const FabricLoad& product : h_.products) {
      const std::vector<double>& of_columns = product.b_sums(mapping);
      Columns& columns = columns_.emplace_back();
      for (std::uint64_t at = 0; at < product.n; at += mapping.columns) {
        columns.sums.push_back(of_columns[at] * product.b_bytes);
      }
      columns.sums.push_back(of_columns.back() * product.b_bytes);
      unit_cycles_.push_back(machine_.unit_cycles(product.work(mapping)));
    }
  }

  [[nodiscard]] std::uint64_t most_columns() const {
    std::uint64_t most = 0;
    for (const Columns& columns : columns_) most = std::max(most, columns.groups());
    return most;
  }
  [[nodiscard]] double rows_groups() const { return real(a_groups_.size()); }
  [[nodiscard]] double a_bytes() const { return a_sums_.total(); }

  // Of what only passes, and of a whole operand, a byte more for each rounding.
  [[nodiscard]] double a_passing(const FabricMapping& mapping) const {
    return std::min(a_bytes(), real(mapping.passing) * (chunk_.a + 1));
  }
  [[nodiscard]] double b_passing(const FabricMapping& mapping) const {
    return real(mapping.passing) * (chunk_.b + 1);
  }

  [[nodiscard]] double bytes_once() const {
    double bytes = 0;
    for (std::size_t p = 0; p < columns_.size(); ++p) {
      bytes += real(h_.products[p].times) * (a_bytes() + columns_[p].total());
    }
    return bytes;
  }
  /// By the busiest of arrays or port, DRAM's reads, its writes.
  [[nodiscard]] double least_cycles() const {
    Estimate all;
    for (std::size_t p = 0; p < columns_.size(); ++p) {
      const double least = machine_.at_least(unit_cycles_[p], a_bytes() + columns_[p].total(),
                                             h_.products[p].z_words);
      all.add({0, least}, real(h_.products[p].times));
    }
    return all.at_least;
  }

  bool fits(FabricMapping& mapping, double a, double b) {
    mapping.a_need = a + 1;
    mapping.b_need = b + 1;
    if (mapping.a_need + mapping.b_need <= h_.room.all && mapping.a_need <= h_.room.a &&
        mapping.b_need <= h_.room.b) {
      return true;
    }
    if (h_.considered != nullptr) {
      h_.considered->push_back(mapping);
      h_.considered->back().fits = false;
    }
    if (least_a_ + least_b_ <= 0 || mapping.a_need + mapping.b_need < least_a_ + least_b_) {
      least_a_ = mapping.a_need;
      least_b_ = mapping.b_need;
    }
    return false;
  }

  /// Widths of B's resident tile in groups of columns, widest first.
  [[nodiscard]] std::vector<std::uint64_t> b_widths(const FabricMapping& mapping) const {
    if (h_.given != nullptr && h_.given->b_tile_columns > 0) {
      return {h_.given->b_tile_columns / mapping.columns};
    }
    return distinct_widths(columns_.front().groups());
  }

  /// A tile of B as if all its positions were nonzeros: certain to fit.
  void add_b_outer(FabricMapping mapping) {
    mapping.b_resident = true;
    const double column = h_.b_column_most(mapping);
    const double passing = a_passing(mapping);
    for (const std::uint64_t width : b_widths(mapping)) {
      mapping.tile_columns = width * mapping.columns;
      const double tile = column * real(std::min(mapping.tile_columns, h_.products.front().n));
      for (const bool whole : {true, false}) {
        if (!may_stay(whole)) continue;
        mapping.a_whole = whole;
        // A group of rows that serves one output tile only passes.
        const double a = whole ? a_bytes() : width > 1 ? a_fullest_ : passing;
        if (fits(mapping, a, tile)) consider(mapping, 0);
      }
    }
  }

  [[nodiscard]] ColumnTile size_tile(const FabricMapping& mapping, double room) const {
    std::vector<ColumnGroups> groups;
    for (std::size_t p = 0; p < columns_.size(); ++p) {
      ColumnGroups& of_product = groups.emplace_back();
      of_product.times = h_.products[p].times;
      const std::vector<double>& sums = columns_[p].sums;
      for (std::size_t i = 1; i < sums.size(); ++i) {
        of_product.bytes.push_back(sums[i] - sums[i - 1]);
      }
    }
    if (h_.given != nullptr && h_.given->b_tile_columns > 0) {
      const std::uint64_t width = h_.given->b_tile_columns / mapping.columns;
      return {width, tile_bytes(groups, width), 0};
    }
    return spec_.tiling.strategy == TilingStrategy::swiftiles
               ? swiftiles_columns(groups, room, spec_.tiling)
               : prescient_columns(groups, room);
  }

  /// A tile of B by what its columns hold, and room for a group of A's rows that may overflow it.
  void add_b_outer_by_contents(FabricMapping mapping) {
    mapping.b_resident = true;
    const bool overbooks = spec_.tiling.strategy == TilingStrategy::swiftiles &&
                           spec_.glb.a.policy == BufferPolicy::tailors;
    std::vector<double> groups = a_groups_;
    const double most = quantile(groups, overbooks ? 1 - spec_.tiling.overbooked_share : 1);
    std::vector<double> a_rooms{a_fullest_ > 0 ? a_fullest_ + 1 : 0};
    if (most + 1 < a_fullest_) a_rooms.push_back(most + 1);
    const bool a_given = h_.given != nullptr && h_.given->a_room > Bytes(0);
    if (a_given) a_rooms = {real(h_.given->a_room.count())};
    for (const double share : kShares) {
      mapping.a_whole = true;
      if (may_stay(true) && !a_given) add_sized(mapping, 0, share);
      mapping.a_whole = false;
      if (!may_stay(false)) continue;
      for (const double room : a_rooms) add_sized(mapping, room, share);
      if (!a_given) add_passing(mapping, share);
      if (room_is_given()) break;
    }
  }

  [[nodiscard]] bool room_is_given() const {
    return h_.given != nullptr && h_.given->b_room > Bytes(0);
  }

  void add_sized(FabricMapping mapping, double a_room, double share) {
    mapping.a_room = a_room;
    const double a = mapping.a_whole ? a_bytes() : std::min(a_room, a_fullest_);
    const ColumnTile tile = sized(mapping, a, share);
    // A group of rows that serves one column group: see add_passing().
    if (tile.groups == 0 || (!mapping.a_whole && tile.groups == 1)) return;
    consider_sized(mapping, a, tile);
  }

  /// One column group stays, A passes.
  void add_passing(FabricMapping mapping, double share) {
    mapping.a_room = 0;
    const double a = a_passing(mapping);
    ColumnTile tile = sized(mapping, a, share);
    if (tile.groups == 0) return;
    for (double& bytes : tile.seen) bytes /= real(tile.groups);
    tile.groups = 1;
    consider_sized(mapping, a, tile);
  }

  ColumnTile sized(FabricMapping& mapping, double a, double share) {
    mapping.b_room = std::floor(std::min(h_.room.all - a - 2, h_.room.b - 1) * share);
    if (room_is_given()) mapping.b_room = real(h_.given->b_room.count());
    if (mapping.b_room <= 0) return {};
    return size_tile(mapping, mapping.b_room);
  }

  void consider_sized(FabricMapping mapping, double a, const ColumnTile& tile) {
    double fullest = 0, tiles = 0;
    for (std::size_t p = 0; p < columns_.size(); ++p) {
      fullest = std::max(fullest, columns_[p].most_of(tile.groups));
      tiles += real(h_.products[p].times) * real(ceil_div(columns_[p].groups(), tile.groups));
    }
    mapping.tile_columns = tile.groups * mapping.columns;
    mapping.tiling_work_bytes = tile.work_bytes;
    if (!fits(mapping, a, std::min(fullest, mapping.b_room))) return;
    if (fullest > mapping.b_room &&
        !machine_.passes(Tensor::b, h_.chunk(mapping).b + 1, mapping.b_room))
      return;
    if (mapping.a_room > 0 && a_fullest_ > mapping.a_room &&
        !machine_.passes(Tensor::a, h_.chunk(mapping).a + 1, mapping.a_room)) {
      return;
    }
    double again = 0;  // of the tiles that were looked at
    for (const double bytes : tile.seen) {
      again += (rows_groups() - 1) * (bytes - machine_.resident(Tensor::b, bytes, mapping.b_room));
    }
    consider(mapping, tile.seen.empty() ? 0 : again / real(tile.seen.size()));
  }

  void add_a_outer(FabricMapping mapping) {
    mapping.a_outer = true;
    mapping.tile_columns = mapping.columns;
    const double passing = b_passing(mapping);
    for (const auto& [width, fullest] : a_tiles_) {
      mapping.tile_rows = width * mapping.rows;
      if (!rows_may_stay(mapping, width)) continue;
      // A group of columns that serves one group of rows only passes.
      if (fits(mapping, fullest, width > 1 ? fullest_group(mapping) : passing)) {
        consider(mapping, 0);
      }
    }
  }

  /// Without a number of rows a given mapping keeps one group of them.
  [[nodiscard]] bool rows_may_stay(const FabricMapping& mapping, std::uint64_t width) const {
    if (h_.given == nullptr || h_.given->outer != FabricOuter::a) return true;
    if (h_.given->a_tile_rows > 0) return mapping.tile_rows == h_.given->a_tile_rows;
    return width == 1 || h_.considered != nullptr;
  }

  [[nodiscard]] double fullest_group(const FabricMapping& mapping) const {
    if (h_.b_column_most) {
      return h_.b_column_most(mapping) * real(std::min(mapping.columns, h_.products.front().n));
    }
    double most = 0;
    for (const Columns& columns : columns_) most = std::max(most, columns.most_of(1));
    return most;
  }

  /// Nothing stays.
  void add_streamed(FabricMapping mapping) {
    mapping.tile_columns = mapping.columns;
    if (fits(mapping, a_passing(mapping), b_passing(mapping))) consider(mapping, 0);
  }

  /// `again`: bytes of one tile of B that come again because it overflows its room.
  void consider(FabricMapping mapping, double again) {
    mapping.bytes = mapping.moved = 0;
    mapping.estimate = {};
    for (std::size_t p = 0; p < columns_.size(); ++p) {
      const FabricLoad& load = h_.products[p];
      const double times = real(load.times);
      const Demand demand = demand_of(mapping, p, again);
      const double bytes = demand.fetched();
      mapping.bytes += times * bytes;
      mapping.estimate.add(machine_.estimate(demand), times);
      mapping.moved +=
          times * (bytes + kPortByte * (load.a_port_bytes * real(columns_[p].groups()) +
                                        load.b_port_bytes * rows_groups()));
    }
    candidates_.add(mapping);
    if (h_.considered != nullptr) h_.considered->push_back(mapping);
  }

  [[nodiscard]] Demand demand_of(const FabricMapping& mapping, std::size_t p, double again) const {
    Demand demand;
    demand.unit_cycles = unit_cycles_[p];
    demand.output_words = h_.products[p].z_words;
    demand.output_tiles = rows_groups() * real(columns_[p].groups());
    const double spare = std::max(0.0, h_.room.all - mapping.a_need - mapping.b_need);
    demand.outer_spare = demand.inner_spare = spare / 2;
    mapping.a_outer ? demand_of_a(mapping, p, demand) : demand_of_b(mapping, p, again, demand);
    // What stays needs no spare room.
    if (demand.tiles == 1) demand.inner_spare = spare;
    if (mapping.a_whole) {
      demand.inner_spare = 0;
      demand.outer_spare = spare;
    }
    demand.inner_room = (mapping.a_outer ? mapping.b_need : mapping.a_need) + demand.inner_spare;
    if (!demand.resident) demand.inner_room += mapping.b_need + demand.outer_spare;
    return demand;
  }

  void demand_of_a(const FabricMapping& mapping, std::size_t p, Demand& demand) const {
    const Columns& columns = columns_[p];
    const std::uint64_t width = mapping.tile_rows / mapping.rows;
    const std::uint64_t tiles = ceil_div(a_groups_.size(), width);
    const double rows = real(std::min(h_.m, mapping.tile_rows));
    demand.tiles = real(tiles);
    demand.width = std::min(real(width), rows_groups());
    demand.walks = real(columns.groups());
    // Slots do not shrink with the rows of the last group, bytes do.
    demand.last_work = tiles == 1 ? 1 : (rows_groups() - real((tiles - 1) * width)) / real(width);
    demand.last_bytes = (real(h_.m) - real(tiles - 1) * rows) / rows;
    demand.tile_bytes = a_bytes() / (real(tiles - 1) + demand.last_bytes);
    demand.inner_bytes = columns.total();
    if (demand.width <= 1) demand.passing = chunk_.b;
  }

  void demand_of_b(const FabricMapping& mapping, std::size_t p, double again,
                   Demand& demand) const {
    const Columns& columns = columns_[p];
    const std::uint64_t n = h_.products[p].n;
    const std::uint64_t width = mapping.tile_columns / mapping.columns;
    const double wide = real(std::min(n, mapping.tile_columns));
    demand.tiles = real(ceil_div(columns.groups(), width));
    demand.width = std::min(real(width), real(columns.groups()));
    demand.walks = rows_groups();
    demand.last_work = demand.last_bytes = (real(n) - (demand.tiles - 1) * wide) / wide;
    demand.tile_bytes = columns.total() / (demand.tiles - 1 + demand.last_bytes);
    if (!mapping.b_resident) {
      demand.resident = false;
      demand.inner_bytes = a_bytes();
      demand.tile_again = demand.tile_bytes * (demand.walks - 1);
      demand.passing = chunk_.a + chunk_.b;
      return;
    }
    demand.tile_again = again;
    (mapping.a_whole ? demand.first_inner_bytes : demand.inner_bytes) = a_bytes();
    if (mapping.a_room > 0) demand.inner_bytes += a_again(mapping, demand.width);
    if (!mapping.a_whole && demand.width <= 1) demand.passing = chunk_.a;
  }

  /// Bytes that A's groups fetch again in one tile of B of `walks` column groups.
  [[nodiscard]] double a_again(const FabricMapping& mapping, double walks) const {
    double bytes = 0;
    for (const double group : a_groups_) {
      bytes += (walks - 1) * (group - machine_.resident(Tensor::a, group, mapping.a_room));
    }
    return bytes;
  }

  const FabricSpec& spec_;
  const ICostModel& machine_;
  const FabricHoldings& h_;
  std::uint64_t measured_rows_ = 0;
  std::vector<double> a_groups_;
  Columns a_sums_;
  double a_fullest_ = 0;
  std::vector<std::pair<std::uint64_t, double>> a_tiles_;  // width in groups, bytes of the fullest
  std::vector<Columns> columns_;                           // of each product
  std::vector<double> unit_cycles_;
  FabricChunk chunk_;  // of a mapping without overbooked tiles, which take smaller ones
  double least_a_ = 0, least_b_ = 0;
  Candidates candidates_;
};

}  // namespace

FabricChoice choose_mapping(const FabricSpec& spec, const ICostModel& machine,
                            const FabricHoldings& holdings) {
  return Mapper(spec, machine, holdings).choose();
}

FabricMapping for_product(FabricMapping mapping, FabricShape shape) {
  const std::uint64_t rows = ceil_div(shape.m, mapping.rows);
  const std::uint64_t columns = ceil_div(shape.n, mapping.columns);
  if (mapping.a_outer) {
    mapping.tile_rows = std::min(mapping.tile_rows, rows * mapping.rows);
    mapping.a_fetches = 1;
    mapping.b_fetches = ceil_div(shape.m, mapping.tile_rows);
  } else if (mapping.b_resident) {
    mapping.tile_columns = std::min(mapping.tile_columns, columns * mapping.columns);
    mapping.a_fetches = mapping.a_whole ? 1 : ceil_div(shape.n, mapping.tile_columns);
    mapping.b_fetches = 1;
  } else {
    mapping.a_fetches = columns;
    mapping.b_fetches = rows;
  }
  return mapping;
}

}  // namespace lacuna
