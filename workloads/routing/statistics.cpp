// SPDX-License-Identifier: Apache-2.0
#include "workloads/routing/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.hpp"

namespace lacuna::routing {
namespace {

template <class Count>
LoadStatistics load_statistics_of(std::span<const Count> loads) {
  LACUNA_CHECK(!loads.empty(), "loads of no experts");
  LoadStatistics out;
  out.least = *std::min_element(loads.begin(), loads.end());
  out.most = *std::max_element(loads.begin(), loads.end());
  for (const auto n : loads) {
    out.assignments += n;
    out.used += n > 0 ? 1U : 0U;
  }
  if (out.assignments == 0) return out;
  const auto experts = static_cast<double>(loads.size());
  const auto total = static_cast<double>(out.assignments);
  out.mean = total / experts;
  out.max_over_mean = static_cast<double>(out.most) / out.mean;
  double variance = 0;
  double entropy = 0;
  for (const auto n : loads) {
    const auto load = static_cast<double>(n);
    variance += (load - out.mean) * (load - out.mean) / experts;
    if (n > 0) entropy -= load / total * std::log(load / total);
  }
  out.cv = std::sqrt(variance) / out.mean;
  out.normalised_entropy = loads.size() == 1 ? 1 : entropy / std::log(experts);
  return out;
}

template <class Count>
double rank_imbalance_of(std::span<const Count> loads, std::uint32_t ranks) {
  if (ranks == 0 || loads.empty() || loads.size() % ranks != 0) {
    throw InputError(Place{"", 0, "ranks"},
                     fmt::format("{} experts do not divide over {} ranks", loads.size(), ranks));
  }
  const std::size_t per_rank = loads.size() / ranks;
  std::uint64_t most = 0;
  std::uint64_t sum = 0;
  for (std::size_t r = 0; r < ranks; ++r) {
    std::uint64_t load = 0;
    for (std::size_t e = 0; e < per_rank; ++e) load += loads[r * per_rank + e];
    most = std::max(most, load);
    sum += load;
  }
  if (sum == 0) return 0;
  const double mean = static_cast<double>(sum) / ranks;
  return (static_cast<double>(most) - mean) / mean;
}

/// Whether token i of the block follows token i - 1 in a text.
bool follows(const RoutingBlock& block, std::size_t i) {
  if (!block.sequence.empty() && block.sequence[i] != block.sequence[i - 1]) return false;
  if (!block.position.empty()) return block.position[i] == block.position[i - 1] + 1;
  return block.phase != Phase::kDecode;
}

}  // namespace

LoadStatistics load_statistics(std::span<const std::uint64_t> loads) {
  return load_statistics_of(loads);
}
LoadStatistics load_statistics(std::span<const std::uint32_t> loads) {
  return load_statistics_of(loads);
}
double rank_imbalance(std::span<const std::uint32_t> loads, std::uint32_t ranks) {
  return rank_imbalance_of(loads, ranks);
}
double rank_imbalance(std::span<const std::uint64_t> loads, std::uint32_t ranks) {
  return rank_imbalance_of(loads, ranks);
}

std::uint32_t distinct_experts(std::span<const ExpertId> ids, std::uint32_t experts) {
  std::vector<bool> seen(experts);
  std::uint32_t count = 0;
  for (const ExpertId id : ids) {
    if (id == kNoExpert) continue;
    LACUNA_CHECK(id < experts, "expert id {} of {}", id, experts);
    if (!seen[id]) ++count;
    seen[id] = true;
  }
  return count;
}

double expected_distinct(std::uint32_t experts, std::uint32_t top_k, double tokens) {
  const double e = experts;
  return e * (1 - std::pow(1 - top_k / e, tokens));
}

DistinctStatistics distinct_per_step(const RoutingTrace& trace, std::uint32_t layer,
                                     const DistinctFilter& filter) {
  DistinctStatistics out;
  for (const auto& block : trace.blocks) {
    if (block.layer != layer || (filter.phase && block.phase != *filter.phase)) continue;
    const std::size_t tokens = trace.tokens(block);
    if (filter.tokens && tokens != *filter.tokens) continue;
    const std::uint32_t distinct = distinct_experts(block.ids, trace.header.experts);
    out.least = out.steps == 0 ? distinct : std::min(out.least, distinct);
    out.most = std::max(out.most, distinct);
    out.mean += distinct;
    out.mean_expected_uniform +=
        expected_distinct(trace.header.experts, trace.header.top_k, static_cast<double>(tokens));
    ++out.steps;
  }
  if (out.steps > 0) {
    out.mean /= static_cast<double>(out.steps);
    out.mean_expected_uniform /= static_cast<double>(out.steps);
  }
  return out;
}

RepeatStatistics repeats(const RoutingTrace& trace, std::uint32_t layer) {
  RepeatStatistics out;
  std::uint64_t top1 = 0;
  std::uint64_t common = 0;
  std::uint64_t whole = 0;
  for (const auto& block : trace.blocks) {
    if (block.layer != layer) continue;
    for (std::size_t i = 1; i < trace.tokens(block); ++i) {
      if (!follows(block, i)) continue;
      const auto before = trace.ids_of(block, i - 1);
      const auto now = trace.ids_of(block, i);
      std::uint64_t same = 0;
      for (const ExpertId id : now) {
        same += std::find(before.begin(), before.end(), id) != before.end() ? 1U : 0U;
      }
      ++out.pairs;
      top1 += now[0] == before[0] ? 1U : 0U;
      common += same;
      whole += same == now.size() ? 1U : 0U;
    }
  }
  if (out.pairs == 0) return out;
  const auto pairs = static_cast<double>(out.pairs);
  out.top1 = static_cast<double>(top1) / pairs;
  out.any_slot = static_cast<double>(common) / pairs / trace.header.top_k;
  out.whole_set = static_cast<double>(whole) / pairs;
  return out;
}

std::vector<LayerStatistics> trace_statistics(const RoutingTrace& trace) {
  std::vector<LayerStatistics> out;
  for (const std::uint32_t layer : trace.header.layers) {
    LayerStatistics row;
    row.layer = layer;
    row.tokens = trace.layer_tokens(layer);
    row.load = load_statistics(trace.layer_loads(layer));
    row.distinct = distinct_per_step(trace, layer);
    row.repeat = repeats(trace, layer);
    out.push_back(row);
  }
  return out;
}

std::vector<LayerStatistics> count_statistics(const ExpertCounts& counts) {
  std::vector<LayerStatistics> out;
  for (const std::uint32_t layer : counts.layers) {
    LayerStatistics row;
    row.layer = layer;
    row.load = load_statistics(counts.layer_loads(layer));
    row.tokens = counts.top_k == 0 ? 0 : row.load.assignments / counts.top_k;
    out.push_back(row);
  }
  return out;
}

}  // namespace lacuna::routing
