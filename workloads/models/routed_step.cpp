// SPDX-License-Identifier: Apache-2.0
#include "workloads/models/routed_step.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "workloads/routing/routing_source.hpp"
#include "workloads/routing/statistics.hpp"

namespace lacuna {
namespace {

routing::RouteRequest request_of(const ModelSpec& spec, const Step& step) {
  constexpr std::uint64_t kMostAssignments = std::uint64_t{1} << 27;
  const std::uint64_t new_tokens = checked_new_tokens(spec, step);
  const std::uint64_t tokens = new_tokens * step.batch;
  if (tokens * spec.moe.routing.experts_per_token > kMostAssignments) {
    throw InputError(Place{"", 0, "routing"},
                     fmt::format("{} tokens with {} experts each are too many to route one by one",
                                 tokens, spec.moe.routing.experts_per_token),
                     "take a smaller batch, or leave the routing out: uniform, as expected");
  }
  routing::RouteRequest request;
  request.phase = step.phase;
  request.tokens = static_cast<std::uint32_t>(tokens);
  request.sequences = static_cast<std::uint32_t>(step.batch);
  request.first_position = step.context - new_tokens;
  return request;
}

void add_note(std::vector<std::string>& notes, const std::string& note) {
  if (!note.empty() && std::find(notes.begin(), notes.end(), note) == notes.end()) {
    notes.push_back(note);
  }
}

}  // namespace

routing::RoutedModel routed_model(const ModelSpec& spec) {
  const auto first = std::find_if(spec.layers.begin(), spec.layers.end(),
                                  [](const LayerSpec& layer) { return layer.moe; });
  if (first == spec.layers.end()) {
    throw InputError(Place{"", 0, "routing"}, fmt::format("{} has no MoE layer", spec.name));
  }
  return {spec.name, static_cast<std::uint32_t>(spec.moe.routing.experts),
          static_cast<std::uint32_t>(spec.moe.routing.experts_per_token),
          static_cast<std::uint32_t>(spec.layers.size()),
          static_cast<std::uint32_t>(first - spec.layers.begin())};
}

std::shared_ptr<const StepRouting> route_step(const ModelSpec& spec, const Step& step,
                                              const std::string& text, std::uint64_t seed) {
  routing::RouteRequest request = request_of(spec, step);
  const routing::RoutingSource source = routing::open_routing(text, routed_model(spec), seed);
  auto out = std::make_shared<StepRouting>();
  out->description = source.description();
  out->notes = source.notes();
  const LayerRange all{0, static_cast<std::uint32_t>(spec.layers.size() - 1)};
  const LayerRange range = step.layers.value_or(all);
  for (std::uint32_t layer = range.first; layer <= range.last; ++layer) {
    if (!spec.layers[layer].moe) continue;
    request.layer = layer;
    const routing::RoutedTokens routed = source.route(request);
    add_note(out->notes, routed.note);
    auto loads = routed.tokens_per_expert();
    const routing::LoadStatistics statistics = routing::load_statistics(loads);
    out->mean_distinct += statistics.used;
    out->mean_max_over_mean += statistics.max_over_mean;
    out->tokens_per_expert.emplace(layer, std::move(loads));
  }
  if (const auto layers = static_cast<double>(out->tokens_per_expert.size()); layers > 0) {
    out->mean_distinct /= layers;
    out->mean_max_over_mean /= layers;
  }
  return out;
}

TokensPerExpert tokens_of(std::shared_ptr<const StepRouting> routing) {
  return [routing = std::move(routing)](std::uint32_t layer) -> std::span<const std::uint32_t> {
    const auto at = routing->tokens_per_expert.find(layer);
    if (at == routing->tokens_per_expert.end()) return {};
    return at->second;
  };
}

}  // namespace lacuna
