// SPDX-License-Identifier: Apache-2.0
#include "dataflows/tiling.hpp"

#include <algorithm>
#include <cmath>

#include "arch/program/stored_bytes.hpp"
#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/statistics.hpp"
#include "dataflows/swiftiles.hpp"

namespace lacuna {
namespace {

std::uint64_t clamp_edge(double edge, std::uint64_t limit) {
  if (edge < 1) return 1;
  return edge >= static_cast<double>(limit) ? limit : static_cast<std::uint64_t>(edge);
}

std::uint64_t dense_bytes(const TiledOperand& operand, TileShape shape) {
  const auto [outer, inner] = operand.grid->shape();
  const std::uint64_t fibers =
      operand.format.fibers == OperandFormat::Fibers::over_k ? outer : inner;
  const std::uint64_t microtile =
      operand.format.padded
          ? 16 * ceil_div(outer, 2) + std::uint64_t{outer} * (8 * ceil_div(inner, 2) + 8 * inner)
          : operand.format.microtile_bytes + operand.format.fiber_bytes * fibers +
                operand.format.nonzero_bytes * outer * inner;
  return shape.outer * (list_bytes(shape.inner, operand.format) + shape.inner * microtile);
}

std::uint64_t occupancy(const TiledOperand& operand, TileShape shape, std::uint64_t outer_tile,
                        std::uint64_t inner_tile, std::uint64_t& nonzeros) {
  const MicrotileGrid& grid = *operand.grid;
  const std::uint64_t first = outer_tile * shape.outer;
  const std::uint64_t last = std::min<std::uint64_t>(grid.outer_blocks(), first + shape.outer);
  const auto inner_first = static_cast<Coordinate>(inner_tile * shape.inner);
  const auto inner_last = static_cast<Coordinate>(
      std::min<std::uint64_t>(grid.inner_blocks(), inner_first + shape.inner));
  std::uint64_t bytes = 0;
  for (std::uint64_t block = first; block < last; ++block) {
    const auto list = grid.list(static_cast<Coordinate>(block), inner_first, inner_last);
    if (list.empty()) continue;
    bytes += list_bytes(list.size(), operand.format);
    for (const Microtile& tile : list) {
      bytes += stored_bytes(tile, operand.format, operand.burst);
      nonzeros += tile.nnz;
    }
  }
  return bytes;
}

/// Calls visit(bytes) for every nonempty tile until it returns false; returns whether all were
/// seen.
template <class Visit>
bool for_each_tile(const TiledOperand& operand, TileShape shape, std::uint64_t& nonzeros,
                   Visit&& visit) {
  const MicrotileGrid& grid = *operand.grid;
  std::vector<std::uint64_t> sums(
      static_cast<std::size_t>(ceil_div(grid.inner_blocks(), shape.inner)), 0);
  std::vector<std::size_t> used;
  for (std::uint64_t first = 0; first < grid.outer_blocks(); first += shape.outer) {
    stop_if_requested();
    const std::uint64_t last = std::min<std::uint64_t>(grid.outer_blocks(), first + shape.outer);
    for (std::uint64_t block = first; block < last; ++block) {
      const auto list = grid.list(static_cast<Coordinate>(block));
      for (std::size_t i = 0; i < list.size();) {
        const std::size_t tile = list[i].inner_block / shape.inner;
        const std::size_t begin = i;
        std::uint64_t bytes = 0;
        for (; i < list.size() && list[i].inner_block / shape.inner == tile; ++i) {
          bytes += stored_bytes(list[i], operand.format, operand.burst);
          nonzeros += list[i].nnz;
        }
        bytes += list_bytes(i - begin, operand.format);
        if (sums[tile] == 0) used.push_back(tile);
        sums[tile] += bytes;
      }
    }
    bool go_on = true;
    for (const std::size_t tile : used) {
      go_on = go_on && visit(sums[tile]);
      sums[tile] = 0;
    }
    used.clear();
    if (!go_on) return false;
  }
  return true;
}

// A tensor without an extent along a rank still has a tile: of one microtile.
std::uint64_t outer_limit(const TiledOperand& operand) {
  return std::max<std::uint64_t>(1, operand.grid->outer_blocks());
}

std::uint64_t inner_limit(const TiledOperand& operand) {
  const std::uint64_t blocks = std::max<std::uint64_t>(1, operand.grid->inner_blocks());
  return operand.fixed_inner != 0 ? std::min(operand.fixed_inner, blocks) : blocks;
}

bool is_clamped(const TiledOperand& operand, TileShape shape) {
  return shape.outer >= operand.grid->outer_blocks() && shape.inner >= inner_limit(operand);
}

/// Outer over inner edge in microtiles, for square growth: the aspect is one of coordinates.
double edge_ratio(const TiledOperand& operand) {
  const auto microtile = operand.grid->shape();
  return operand.aspect * microtile.inner / microtile.outer;
}

/// At fixed aspect one edge or the other steps up at a time, at areas that are known: its own steps
/// while both grow, steps of whole rows once one rank is used up.
std::vector<TileShape> square_sequence(const TiledOperand& operand) {
  const double ratio = edge_ratio(operand);
  const auto outer = static_cast<double>(outer_limit(operand));
  const auto inner = static_cast<double>(inner_limit(operand));
  std::vector<double> areas;
  for (double k = 1; k <= inner; ++k) areas.insert(areas.end(), {ratio * k * k, k * outer});
  for (double n = 1; n <= outer; ++n) areas.insert(areas.end(), {n * n / ratio, n * inner});
  std::sort(areas.begin(), areas.end());
  std::vector<TileShape> shapes;
  for (const double area : areas) {
    const TileShape shape = shape_of_area(operand, area);
    if (shapes.empty() || !(shapes.back() == shape)) shapes.push_back(shape);
  }
  return shapes;
}

/// Distinct shapes of the growth sequence, ascending.
std::vector<TileShape> growth_sequence(const TiledOperand& operand) {
  if (operand.growth == Growth::square && operand.fixed_inner == 0) {
    return square_sequence(operand);
  }
  std::vector<TileShape> shapes;
  // One rank after the other: every length of the first, then every length of the second.
  const bool k_first = operand.growth != Growth::n_first && operand.fixed_inner == 0;
  const std::uint64_t first = k_first ? inner_limit(operand) : outer_limit(operand);
  const std::uint64_t second = k_first ? outer_limit(operand) : inner_limit(operand);
  if (operand.fixed_inner != 0) {
    for (std::uint64_t outer = 1; outer <= outer_limit(operand); ++outer) {
      shapes.push_back({outer, inner_limit(operand)});
    }
    return shapes;
  }
  for (std::uint64_t length = 1; length <= first; ++length) {
    shapes.push_back(k_first ? TileShape{1, length} : TileShape{length, 1});
  }
  for (std::uint64_t length = 2; length <= second; ++length) {
    shapes.push_back(k_first ? TileShape{length, first} : TileShape{first, length});
  }
  return shapes;
}

}  // namespace

const char* to_text(TilingStrategy strategy) {
  switch (strategy) {
    case TilingStrategy::fixed:
      return "fixed";
    case TilingStrategy::dense_shape:
      return "dense-shape";
    case TilingStrategy::prescient:
      return "prescient";
    case TilingStrategy::swiftiles:
      return "swiftiles";
  }
  return "?";
}

TileShape shape_of_area(const TiledOperand& operand, double area) {
  const std::uint64_t outer = outer_limit(operand);
  const std::uint64_t inner = inner_limit(operand);
  if (operand.fixed_inner != 0)
    return {clamp_edge(area / static_cast<double>(inner), outer), inner};
  const auto rest = [&](std::uint64_t edge) { return area / static_cast<double>(edge); };
  switch (operand.growth) {
    case Growth::k_first: {
      const std::uint64_t k = clamp_edge(area, inner);
      return {clamp_edge(rest(k), outer), k};
    }
    case Growth::n_first: {
      const std::uint64_t n = clamp_edge(area, outer);
      return {n, clamp_edge(rest(n), inner)};
    }
    case Growth::square:
      break;
  }
  // Edges in coordinates follow the aspect; what one rank cannot take goes to the other.
  const double ratio = edge_ratio(operand);
  const double edge = std::sqrt(area / ratio) + 1e-9;  // an exact square root must not round down
  const std::uint64_t k = clamp_edge(edge, inner);
  const std::uint64_t n = clamp_edge(k < inner ? edge * ratio : rest(k), outer);
  return {n, n == outer ? clamp_edge(rest(n), inner) : k};
}

std::vector<std::uint64_t> tile_occupancies(const TiledOperand& operand, TileShape shape) {
  std::vector<std::uint64_t> out;
  std::uint64_t ignored = 0;
  for_each_tile(operand, shape, ignored, [&out](std::uint64_t bytes) {
    out.push_back(bytes);
    return true;
  });
  return out;
}

TileChoice choose_dense_shape(const TiledOperand& operand) {
  TileChoice choice{.strategy = TilingStrategy::dense_shape, .shape = {}};
  const auto shapes = growth_sequence(operand);
  const auto fits = std::partition_point(shapes.begin(), shapes.end(), [&](const TileShape& shape) {
    return dense_bytes(operand, shape) <= operand.share_bytes;
  });
  choice.shape = fits == shapes.begin() ? shapes.front() : *(fits - 1);
  choice.clamped = is_clamped(operand, choice.shape);
  return choice;
}

TileChoice choose_prescient(const TiledOperand& operand) {
  TileChoice choice{.strategy = TilingStrategy::prescient, .shape = {}};
  const auto shapes = growth_sequence(operand);
  // Fullest tiles do not shrink monotonically with the size (the grid moves), so every size is
  // tried, the largest first; a size is given up at its first tile that does not fit.
  for (auto shape = shapes.rbegin(); shape != shapes.rend(); ++shape) {
    ++choice.candidates;
    const bool all_fit =
        for_each_tile(operand, *shape, choice.work_nonzeros,
                      [&](std::uint64_t bytes) { return bytes <= operand.share_bytes; });
    if (all_fit || shape + 1 == shapes.rend()) {
      choice.shape = *shape;
      break;
    }
  }
  choice.clamped = is_clamped(operand, choice.shape);
  return choice;
}

TileChoice choose_swiftiles(const TiledOperand& operand, double overbooked_share,
                            std::uint64_t tail_samples, std::uint64_t seed,
                            const std::string& stream) {
  TileChoice choice{.strategy = TilingStrategy::swiftiles, .shape = {}};
  const MicrotileGrid& grid = *operand.grid;
  const double everything =
      static_cast<double>(grid.outer_blocks()) * static_cast<double>(grid.inner_blocks());
  // Expected bytes per microtile position, from sums that a stored matrix carries with it.
  std::uint64_t total = 0;
  for (const Microtile& tile : grid.all())
    total += stored_bytes(tile, operand.format, operand.burst);
  if (total == 0) {
    choice.shape = shape_of_area(operand, everything);
    choice.clamped = true;
    return choice;
  }
  const double b = static_cast<double>(operand.share_bytes);
  choice.initial_area = b * everything / static_cast<double>(total);
  const TileShape initial = shape_of_area(operand, choice.initial_area);
  const std::uint64_t outer_tiles = ceil_div(grid.outer_blocks(), initial.outer);
  const std::uint64_t inner_tiles = ceil_div(grid.inner_blocks(), initial.inner);
  const Swiftiles swiftiles{overbooked_share, tail_samples, seed, "swiftiles " + stream};
  std::vector<std::uint64_t> sampled =
      swiftiles.draw_holding(outer_tiles * inner_tiles, [&](std::uint64_t position) {
        return occupancy(operand, initial, position / inner_tiles, position % inner_tiles,
                         choice.work_nonzeros);
      });
  choice.samples = sampled.size();
  choice.quantile_bytes = sampled.empty() ? total : swiftiles.bound(sampled);
  // T = T0 * b / Q, with T0 as it was sampled, after rounding.
  const double sampled_area =
      static_cast<double>(initial.outer) * static_cast<double>(initial.inner);
  choice.shape = shape_of_area(
      operand, Swiftiles::scaled(sampled_area, b, static_cast<double>(choice.quantile_bytes)));
  choice.clamped = is_clamped(operand, choice.shape);
  return choice;
}

TilingStatistics summarize(std::vector<std::uint64_t> occupancies, std::uint64_t share_bytes) {
  TilingStatistics out;
  out.tiles = occupancies.size();
  if (occupancies.empty()) return out;
  double used = 0;
  std::uint64_t over = 0;
  for (const std::uint64_t bytes : occupancies) {
    used += std::min(1.0, static_cast<double>(bytes) / static_cast<double>(share_bytes));
    over += bytes > share_bytes ? 1 : 0;
    out.largest = std::max(out.largest, bytes);
  }
  out.overbooked_share = static_cast<double>(over) / static_cast<double>(out.tiles);
  out.utilization = used / static_cast<double>(out.tiles);
  std::sort(occupancies.begin(), occupancies.end());
  for (const double q : {0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0}) {
    out.quantiles.emplace_back(q, quantile_of_sorted(occupancies, q));
  }
  return out;
}

TiledOperand operand_b(const ProductOperands& operands, const MachineSpec& machine) {
  return {&operands.b_grid,
          machine.formats.b,
          machine.dram.burst,
          static_cast<std::uint64_t>(machine.llb.shares.b *
                                     static_cast<double>(machine.llb.capacity.count())),
          machine.tiling.growth,
          machine.tiling.aspect,
          0};
}

TiledOperand operand_a(const ProductOperands& operands, const MachineSpec& machine,
                       std::uint64_t k1) {
  return {&operands.a_grid,
          machine.formats.a,
          machine.dram.burst,
          static_cast<std::uint64_t>(machine.llb.shares.a *
                                     static_cast<double>(machine.llb.capacity.count())),
          machine.tiling.growth,
          machine.tiling.aspect,
          k1};
}

namespace {

LoopTiles fixed_tiles(const MachineSpec& machine, const std::string& workload) {
  for (const auto& [name, tiles] : machine.tiling.by_workload) {
    if (name == workload && tiles.m1 != 0 && tiles.k1 != 0 && tiles.n1 != 0) return tiles;
  }
  const LoopTiles& tiles = machine.tiling.fixed;
  if (tiles.m1 == 0 || tiles.k1 == 0 || tiles.n1 == 0) {
    throw InputError(
        fmt::format("{}: tiling.strategy is fixed, but tiling.m1, k1 and n1 are not all "
                    "given for workload '{}'",
                    machine.name, workload),
        "give them with --set tiling.m1=32 --set tiling.k1=64 --set tiling.n1=96, or "
        "choose another tiling.strategy");
  }
  return tiles;
}

TileChoice choose(TilingStrategy strategy, const TiledOperand& operand, const TilingSpec& spec,
                  const std::string& stream) {
  switch (strategy) {
    case TilingStrategy::dense_shape:
      return choose_dense_shape(operand);
    case TilingStrategy::prescient:
      return choose_prescient(operand);
    case TilingStrategy::swiftiles:
      return choose_swiftiles(operand, spec.overbooked_share, spec.tail_samples, spec.seed, stream);
    case TilingStrategy::fixed:
      break;
  }
  return {.strategy = TilingStrategy::fixed, .shape = {}};
}

}  // namespace

ProductTiling tile_product(const ProductOperands& operands, const MachineSpec& machine,
                           const std::string& workload, std::optional<TilingStrategy> strategy) {
  ProductTiling out;
  const TilingStrategy used = strategy.value_or(machine.tiling.strategy);
  const std::uint64_t m_blocks = std::max<std::uint64_t>(1, operands.a_grid.outer_blocks());
  const std::uint64_t n_blocks = std::max<std::uint64_t>(1, operands.b_grid.outer_blocks());
  const std::uint64_t k_blocks = std::max<std::uint64_t>(1, operands.b_grid.inner_blocks());
  if (used == TilingStrategy::fixed) {
    out.tiles = fixed_tiles(machine, workload);
    const auto clamp = [&](std::uint64_t& edge, std::uint64_t limit, const char* name) {
      if (edge <= limit) return;
      out.notes.push_back(fmt::format(
          "tile {} = {} microtiles is larger than the tensor, clamped to {}", name, edge, limit));
      edge = limit;
    };
    clamp(out.tiles.m1, m_blocks, "m1");
    clamp(out.tiles.k1, k_blocks, "k1");
    clamp(out.tiles.n1, n_blocks, "n1");
    out.b = {.strategy = used, .shape = {out.tiles.n1, out.tiles.k1}};
    out.a = {.strategy = used, .shape = {out.tiles.m1, out.tiles.k1}};
  } else {
    out.b = choose(used, operand_b(operands, machine), machine.tiling, "B");
    out.a = choose(used, operand_a(operands, machine, out.b.shape.inner), machine.tiling, "A");
    out.tiles = {std::max<std::uint64_t>(1, out.a.shape.outer),
                 std::max<std::uint64_t>(1, out.b.shape.inner),
                 std::max<std::uint64_t>(1, out.b.shape.outer)};
  }
  out.b.clamped = out.tiles.n1 >= n_blocks && out.tiles.k1 >= k_blocks;
  out.a.clamped = out.tiles.m1 >= m_blocks && out.tiles.k1 >= k_blocks;
  return out;
}

}  // namespace lacuna
