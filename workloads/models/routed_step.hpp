// SPDX-License-Identifier: Apache-2.0
// Routing put to a model's step: what open_routing() gives, as the tokens per expert that
// build_graph() takes.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "workloads/models/build_graph.hpp"
#include "workloads/routing/trace_binding.hpp"

namespace lacuna {

/// The model as routing sees it. Throws InputError when it has no MoE layer.
[[nodiscard]] routing::RoutedModel routed_model(const ModelSpec& spec);

struct StepRouting {
  std::string description;
  std::vector<std::string> notes;  // rows dropped, mappings, samples, steps put together
  std::map<std::uint32_t, std::vector<std::uint32_t>> tokens_per_expert;  // by MoE layer
  double mean_distinct = 0;       // experts with tokens, over those layers; 0 without any
  double mean_max_over_mean = 0;  // largest load over the mean load, over those layers
};

/// The first step of the phase for every MoE layer that the step runs. `text` and errors as in
/// open_routing(); also refuses steps of more than 2^27 assignments in a layer, before they take
/// memory.
[[nodiscard]] std::shared_ptr<const StepRouting> route_step(const ModelSpec& spec, const Step& step,
                                                            const std::string& text,
                                                            std::uint64_t seed);

/// What Step wants; keeps the routing alive.
[[nodiscard]] TokensPerExpert tokens_of(std::shared_ptr<const StepRouting> routing);

}  // namespace lacuna
