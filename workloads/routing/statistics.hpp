// SPDX-License-Identifier: Apache-2.0
// What routing does to a machine, in numbers: how uneven the experts are, how many a step touches,
// how often neighbouring tokens agree.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "workloads/routing/expert_counts.hpp"
#include "workloads/routing/routing_trace.hpp"

namespace lacuna::routing {

/// Of the assignments n_e of one layer; E experts, unused ones count.
struct LoadStatistics {
  std::uint64_t assignments = 0;  // sum n_e
  std::uint64_t least = 0;
  std::uint64_t most = 0;
  double mean = 0;
  double max_over_mean = 0;
  double cv = 0;                  // population standard deviation / mean
  double normalised_entropy = 0;  // -sum p ln p / ln E; 1 is even (E = 1: 1)
  std::uint32_t used = 0;         // experts with n_e > 0
};
[[nodiscard]] LoadStatistics load_statistics(std::span<const std::uint64_t> loads);
[[nodiscard]] LoadStatistics load_statistics(std::span<const std::uint32_t> loads);

/// (max - mean) / mean of assignments per rank, experts in `ranks` contiguous groups, as expert
/// parallelism places them. Throws InputError unless ranks divides the experts.
[[nodiscard]] double rank_imbalance(std::span<const std::uint32_t> loads, std::uint32_t ranks);
[[nodiscard]] double rank_imbalance(std::span<const std::uint64_t> loads, std::uint32_t ranks);

/// Number of different experts in a list of ids; kNoExpert does not count.
[[nodiscard]] std::uint32_t distinct_experts(std::span<const ExpertId> ids, std::uint32_t experts);
/// Expected number under uniform independent routing, E (1 - (1 - k/E)^B).
[[nodiscard]] double expected_distinct(std::uint32_t experts, std::uint32_t top_k, double tokens);

/// Distinct experts per step of a layer, over the steps of a phase and size.
struct DistinctFilter {
  std::optional<Phase> phase;
  std::optional<std::uint64_t> tokens;
};
struct DistinctStatistics {
  std::uint64_t steps = 0;
  double mean = 0;
  std::uint32_t least = 0;
  std::uint32_t most = 0;
  double mean_expected_uniform = 0;  // of the same steps
};
[[nodiscard]] DistinctStatistics distinct_per_step(const RoutingTrace& trace, std::uint32_t layer,
                                                   const DistinctFilter& filter = {});

/// Agreement of each token with the one before it. Pairs are neighbours of one sequence where the
/// trace knows sequences, else neighbouring rows of a prefill or undivided step (neighbouring rows
/// of a decode step belong to different sequences and are left out).
struct RepeatStatistics {
  std::uint64_t pairs = 0;
  double top1 = 0;       // share with the same first expert
  double any_slot = 0;   // mean |common experts| / k
  double whole_set = 0;  // share with the same set
};
[[nodiscard]] RepeatStatistics repeats(const RoutingTrace& trace, std::uint32_t layer);

struct LayerStatistics {
  std::uint32_t layer = 0;
  std::uint64_t tokens = 0;
  LoadStatistics load;
  DistinctStatistics distinct;
  RepeatStatistics repeat;
};
[[nodiscard]] std::vector<LayerStatistics> trace_statistics(const RoutingTrace& trace);

/// Counts carry loads only; distinct and repeat stay empty.
[[nodiscard]] std::vector<LayerStatistics> count_statistics(const ExpertCounts& counts);

}  // namespace lacuna::routing
