// SPDX-License-Identifier: Apache-2.0
// How many tokens each expert got: weaker than a trace. It gives loads, but not which tokens shared
// an expert, nor how many distinct experts one step touched; those need sampling (generators.hpp).
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/limits.hpp"
#include "workloads/routing/routing_trace.hpp"

namespace lacuna::routing {

/// counts is [steps][layers][experts], row-major; one step when the source does not separate them.
struct ExpertCounts {
  std::string model;  // empty: the source does not say
  std::string domain;
  std::uint32_t experts = 0;
  std::uint32_t top_k = 0;  // 0: the source does not say
  std::vector<std::uint32_t> layers;
  LayerNumbering numbering = LayerNumbering::kModel;
  std::uint64_t steps = 1;
  std::vector<std::uint64_t> counts;
  std::string source;
  std::string format;
  std::vector<std::string> notes;

  [[nodiscard]] std::span<const std::uint64_t> at(std::uint64_t step,
                                                  std::size_t layer_index) const {
    return std::span(counts).subspan(
        static_cast<std::size_t>(step * layers.size() + layer_index) * experts, experts);
  }
  /// Sum over steps for the layer of that number; throws InputError when it is not there.
  [[nodiscard]] std::vector<std::uint64_t> layer_loads(std::uint32_t layer) const;
  /// "OLMoE-1B-7B-0924, top-8, c4": what selects this set among those of its file.
  [[nodiscard]] std::string label() const;
};

/// Tables of counts are refused above this many cells: a damaged id must not ask for memory.
inline constexpr std::uint64_t kMostCountCells = limits::kRoutingCells;

/// How often expert a of one layer and expert b of another took the same token (top-1 of both).
struct CrossLayerCounts {
  struct Cell {
    std::uint32_t expert_a;
    std::uint32_t expert_b;
    std::uint64_t count;
  };
  std::string domain;
  std::uint32_t layer_a = 0;
  std::uint32_t layer_b = 0;
  std::vector<Cell> cells;
  [[nodiscard]] std::uint64_t total() const;
};

/// (layer, expert) pairs of a model, most used first; an order, not counts.
struct PopularityRanks {
  struct Rank {
    std::uint32_t layer;
    std::uint32_t expert;
  };
  std::vector<Rank> order;
};

/// Columns domain, layer_a, layer_b, expert_a, expert_b, count. Throws InputError with the line.
[[nodiscard]] std::vector<CrossLayerCounts> load_cross_layer_counts(
    const std::filesystem::path& path);
/// Columns rank, layer, expert; ranks 0, 1, ... in order, no pair twice.
[[nodiscard]] PopularityRanks load_popularity_ranks(const std::filesystem::path& path);

}  // namespace lacuna::routing
