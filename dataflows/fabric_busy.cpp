// SPDX-License-Identifier: Apache-2.0
// How long the arrays and the global buffer's port work on a product under a mapping, for the
// mapper: the sums of fabric_count.cpp without its tables.
#include <algorithm>
#include <cmath>

#include "base/interrupt.hpp"
#include "dataflows/fabric_product.hpp"

namespace lacuna {
namespace {

/// Steps of one array that an estimate from the nonzeros looks at, at most about: a parameter.
constexpr double kMostSteps = 4e6;

double d(std::uint64_t x) {
  return static_cast<double>(x);
}

/// A tile's edge and how often it occurs.
struct Edge {
  double length = 0, times = 0;
};

/// Whole tiles and what is left.
std::vector<Edge> edges(std::uint64_t all, std::uint64_t tile) {
  std::vector<Edge> out;
  if (all >= tile) out.push_back({d(tile), d(all / tile)});
  if (all % tile > 0) out.push_back({d(all % tile), 1});
  return out;
}

/// At most `most` of `count` tiles, evenly spread.
std::vector<std::uint64_t> spread(std::uint64_t count, std::uint64_t most) {
  const std::uint64_t taken = std::min(count, most);
  std::vector<std::uint64_t> out;
  for (std::uint64_t i = 0; i < taken; ++i) out.push_back((2 * i + 1) * count / (2 * taken));
  return out;
}

}  // namespace

double FabricProduct::busy_cycles(const FabricMapping& mapping) const {
  return outer_ ? outer_busy_cycles(mapping) : inner_busy_cycles(mapping);
}

double FabricProduct::inner_busy_cycles(const FabricMapping& map) const {
  const double steps = d(ceil_div(ops_.k(), step_k_)) * db_;
  const double port = spec_.glb.words_per_cycle;
  const double row = all_a_words(map) / d(ops_.m());
  const double column = b_sums(map).back() / d(ops_.n());
  double cycles = 0;
  for (const Edge& m : edges(ops_.m(), map.rows)) {
    for (const Edge& n : edges(ops_.n(), map.columns)) {
      const double slots = steps * std::ceil(n.length / d(spec_.arrays.across_n));
      const double words =
          m.length * row + n.length * column + steps * spilled(m.length * n.length);
      cycles += m.times * n.times * std::max(slots, words / port);
    }
  }
  return cycles;
}

double FabricProduct::outer_busy_cycles(const FabricMapping& map) const {
  const double tile = d(map.array_rows) * d(map.array_columns);
  const double port = spec_.arrays.psum_words_per_cycle;
  const double arrays = d(spec_.arrays.across_m * spec_.arrays.across_n);
  const std::uint64_t m_tiles = ceil_div(ops_.m(), map.rows);
  const std::uint64_t n_tiles = ceil_div(ops_.n(), map.columns);
  if (mode_ == FabricMode::expected) {
    const double m_arrays = d(ceil_div(ops_.m(), map.array_rows));
    const double n_arrays = d(ceil_div(ops_.n(), map.array_columns));
    const double all_spilled = m_arrays * n_arrays * d(ops_.k()) * spilled(tile);
    const double words =
        all_a_words(map) * d(n_tiles) + b_sums(map).back() * d(m_tiles) + all_spilled;
    const double psums = d(ops_.effectual()) + all_spilled;
    return std::max({expected_slots(map), words / spec_.glb.words_per_cycle,
                     port > 0 ? psums / (port * arrays) : 0});
  }
  const double per_tile = d(ops_.k()) * arrays;
  const auto most =
      static_cast<std::uint64_t>(std::max(1.0, std::floor(std::sqrt(kMostSteps / per_tile))));
  const bool all = d(m_tiles) * d(n_tiles) * per_tile <= kMostSteps;
  const auto rows = spread(m_tiles, all ? m_tiles : most);
  const auto columns = spread(n_tiles, all ? n_tiles : most);
  const std::uint64_t chunks = chunks_for(map), k = ops_.k();
  OuterSteps outer(spec_, ops_, map, outer_fetch(map));
  double cycles = 0;
  for (const std::uint64_t i : rows) {
    stop_if_requested();
    for (const std::uint64_t j : columns) {
      for (std::uint64_t c = 0; c < chunks; ++c) {
        cycles += outer.cycles(i, j, k * c / chunks, k * (c + 1) / chunks);
      }
      if (port > 0) cycles += tile / port;
    }
  }
  return cycles * d(m_tiles) * d(n_tiles) / (d(rows.size()) * d(columns.size()));
}

}  // namespace lacuna
