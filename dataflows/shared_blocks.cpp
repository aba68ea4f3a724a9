// SPDX-License-Identifier: Apache-2.0
#include "dataflows/shared_blocks.hpp"

#include <algorithm>
#include <limits>

#include "base/whole.hpp"
#include "dataflows/array_tiles.hpp"

namespace lacuna {
namespace {

constexpr std::uint64_t kMostBlocks = 4096;

/// One operand at the level.
struct Cut {
  const ICostModel& machine;
  Tensor tensor;
  double room;
  bool held;
  std::uint64_t unit;  // groups that the buffers inside take together
  std::vector<double> sums;

  Cut(const FabricSharedLevel& level, const ICostModel& machine_, Tensor tensor_,
      std::uint64_t unit_, const std::vector<double>& groups)
      : Cut(level, tensor_ == Tensor::a ? level.a : level.b, machine_, tensor_, unit_, groups) {}

  Cut(const FabricSharedLevel& level, const FabricHolding& holding, const ICostModel& machine_,
      Tensor tensor_, std::uint64_t unit_, const std::vector<double>& groups)
      : machine(machine_),
        tensor(tensor_),
        room(holding.share * real(level.capacity.count())),
        held(holding.share > 0),
        unit(std::min<std::uint64_t>(unit_, groups.size())),
        sums(1, 0.0) {
    for (const double bytes : groups) sums.push_back(sums.back() + bytes);
  }
  [[nodiscard]] std::uint64_t groups() const { return sums.size() - 1; }
  [[nodiscard]] std::vector<double> tiles(std::uint64_t width) const {
    std::vector<double> bytes;
    for (std::uint64_t at = 0; at < groups(); at += width) {
      bytes.push_back(sums[std::min(groups(), at + width)] - sums[at]);
    }
    return bytes;
  }
  /// Bytes from memory when each tile is visited once and read so often in the visit.
  [[nodiscard]] double bytes(std::uint64_t width, double readings) const {
    double all = 0;
    for (const double tile : tiles(width)) {
      all += tile + (readings - 1) * (tile - machine.resident_in_shared(tensor, tile));
    }
    return all;
  }
  /// Widths to look at: of all, the widest whose tiles fit, half of it so that the next can come.
  [[nodiscard]] std::vector<std::uint64_t> widths() const {
    std::vector<std::uint64_t> out{groups()};
    if (!held) return out;
    for (const std::uint64_t units : distinct_widths(ceil_div(groups(), unit))) {
      const std::vector<double> all = tiles(units * unit);
      if (*std::max_element(all.begin(), all.end()) > room) continue;
      out.push_back(units * unit);
      out.push_back(std::max<std::uint64_t>(1, units / 2) * unit);
      return out;
    }
    out.push_back(unit);
    return out;
  }
};

/// Readings of a block by the buffers inside, in walks over all of it.
double a_readings(const FabricMapping& m, std::uint64_t b_groups) {
  if (m.a_outer || m.a_whole) return 1;
  return m.b_resident ? real(ceil_div(b_groups, m.tile_columns / m.columns)) : real(b_groups);
}
double b_readings(const FabricMapping& m, std::uint64_t a_groups) {
  if (m.a_outer) return real(ceil_div(a_groups, m.tile_rows / m.rows));
  return m.b_resident ? 1 : real(a_groups);
}

}  // namespace

SharedShape choose_blocks(const FabricSpec& spec, const ICostModel& machine, const FabricMapping& m,
                          const SharedGroups& groups) {
  const FabricSharedLevel& level = *spec.shared;
  const Cut a(level, machine, Tensor::a, m.a_outer ? m.tile_rows / m.rows : 1, groups.a);
  const Cut b(level, machine, Tensor::b, m.b_resident ? m.tile_columns / m.columns : 1, groups.b);
  SharedShape best;
  best.bytes = std::numeric_limits<double>::infinity();
  std::vector<std::uint64_t> b_widths = b.widths();
  double work = 0;
  if (b.held && level.strategy == TilingStrategy::swiftiles) {
    FabricSpec::Tiling tiling = spec.tiling;
    tiling.overbooked_share = level.overbooked_share;
    tiling.tail_samples = level.tail_samples;
    const ColumnTile tile = swiftiles_columns({{b.tiles(b.unit), 1}}, b.room, tiling);
    b_widths = {std::min(b.groups(), std::max<std::uint64_t>(1, tile.groups) * b.unit)};
    work = tile.work_bytes;
  }
  for (const std::uint64_t height : a.widths()) {
    for (const std::uint64_t width : b_widths) {
      const std::uint64_t rows = ceil_div(a.groups(), height);
      const std::uint64_t columns = ceil_div(b.groups(), width);
      if (rows * columns > kMostBlocks) continue;
      // The loop outside visits its tiles once; the other's come again, unless there is but one.
      double a_visits = 1, b_visits = 1;
      double of_a = a_readings(m, width), of_b = b_readings(m, height);
      (level.a_outside || rows == 1 ? of_a : a_visits) *= real(columns);
      (!level.a_outside || columns == 1 ? of_b : b_visits) *= real(rows);
      const double bytes = a_visits * a.bytes(height, of_a) + b_visits * b.bytes(width, of_b);
      if (bytes < best.bytes) best = {height, width, bytes, work};
    }
  }
  return best;
}

}  // namespace lacuna
