// SPDX-License-Identifier: Apache-2.0
#include "workloads/routing/routing_trace.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace lacuna::routing {

const RoutingBlock* RoutingTrace::find(std::uint32_t step, std::uint32_t layer) const {
  const auto at = std::lower_bound(blocks.begin(), blocks.end(), std::pair(step, layer),
                                   [](const RoutingBlock& block, const auto& key) {
                                     return std::pair(block.step, block.layer) < key;
                                   });
  return at != blocks.end() && at->step == step && at->layer == layer ? &*at : nullptr;
}

std::vector<std::uint32_t> RoutingTrace::steps() const {
  std::vector<std::uint32_t> out;
  for (const auto& block : blocks) {
    if (out.empty() || out.back() != block.step) out.push_back(block.step);
  }
  return out;
}

std::uint64_t RoutingTrace::layer_tokens(std::uint32_t layer) const {
  std::uint64_t sum = 0;
  for (const auto& block : blocks) {
    if (block.layer == layer) sum += tokens(block);
  }
  return sum;
}

std::vector<std::uint64_t> RoutingTrace::layer_loads(std::uint32_t layer) const {
  std::vector<std::uint64_t> loads(header.experts);
  for (const auto& block : blocks) {
    if (block.layer != layer) continue;
    for (const ExpertId id : block.ids) {
      if (id != kNoExpert) ++loads[id];
    }
  }
  return loads;
}

std::vector<std::uint32_t> tokens_per_expert(std::span<const ExpertId> ids, std::uint32_t experts) {
  std::vector<std::uint32_t> loads(experts);
  for (const ExpertId id : ids) {
    if (id == kNoExpert) continue;
    LACUNA_CHECK(id < experts, "expert id {} of {}", id, experts);
    ++loads[id];
  }
  return loads;
}

std::string ranges_text(std::span<const std::uint32_t> ascending) {
  std::string out;
  for (std::size_t i = 0; i < ascending.size();) {
    std::size_t j = i;
    while (j + 1 < ascending.size() && ascending[j + 1] == ascending[j] + 1) ++j;
    if (!out.empty()) out += ", ";
    out +=
        i == j ? fmt::format("{}", ascending[i]) : fmt::format("{}-{}", ascending[i], ascending[j]);
    i = j + 1;
  }
  return out;
}

}  // namespace lacuna::routing
