// SPDX-License-Identifier: Apache-2.0
// Where a model's MoE layers get their routing from, behind one call: synthetic generators, expert
// counts and recorded traces look alike to the operation graph.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "workloads/routing/routing_trace.hpp"
#include "workloads/routing/trace_binding.hpp"

namespace lacuna::routing {

/// One MoE layer in one step of the run.
struct RouteRequest {
  std::uint32_t layer = 0;  // of the model
  std::uint64_t step = 0;   // counted within the phase
  std::optional<Phase> phase;
  std::uint32_t tokens = 0;          // 0: as many as the trace's step has (traces only)
  std::uint32_t sequences = 1;       // divides tokens; decode has as many as tokens
  std::uint64_t first_position = 0;  // of the step's first token in its sequence
};

struct RoutedTokens {
  std::uint32_t experts = 0;
  std::uint32_t top_k = 0;
  std::vector<ExpertId> ids;   // [tokens][top_k]
  std::vector<float> weights;  // as recorded, or empty
  std::string note;            // for the result, when the request could not be met literally

  [[nodiscard]] std::size_t tokens() const { return ids.size() / top_k; }
  [[nodiscard]] std::vector<std::uint32_t> tokens_per_expert() const {
    return routing::tokens_per_expert(ids, experts);
  }
};

class RoutingSource {
 public:
  using Route = std::function<RoutedTokens(const RouteRequest&)>;
  RoutingSource(std::string description, std::vector<std::string> notes, Route route,
                std::uint64_t recorded_prefills, std::uint64_t recorded_decodes);

  /// A function of the request alone. Throws InputError: a layer the trace does not cover, tokens
  /// that sequences do not divide, tokens 0 from a generator.
  [[nodiscard]] RoutedTokens route(const RouteRequest& request) const { return route_(request); }
  /// One line: kind, parameters, seed or file.
  [[nodiscard]] const std::string& description() const { return description_; }
  /// For the result: rows dropped, assumptions, mappings, sampling.
  [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }
  /// Steps a trace holds for a phase (steps of unknown phase count for both); 0 for generators.
  [[nodiscard]] std::uint64_t recorded_steps(Phase phase) const {
    return phase == Phase::kPrefill ? recorded_prefills_ : recorded_decodes_;
  }

 private:
  std::string description_;
  std::vector<std::string> notes_;
  Route route_;
  std::uint64_t recorded_prefills_;
  std::uint64_t recorded_decodes_;
};

/// From its text:
///   uniform               k distinct experts per token, uniformly
///   balanced              loads as even as integers allow
///   power-law:ALPHA[:RANKS]  bounded power law; the layer's hot experts stay the same in all steps
///   correlated:P          a token repeats its predecessor's experts with probability P
///   counts:FILE           sampled from counts (note "counts-sampled"): loads follow the counts,
///                         tokens are independent
///   FILE                  a trace: the n-th step of the phase, its rows in order; a longer request
///                         goes on with the next steps and round again, and says so
/// A file may be followed by #key=value items: model, experts, layer, domain, topk, array,
/// dummy, ragged=allow, as=counts, map (bind_trace). Random streams depend on (seed, kind, layer,
/// step) alone. Throws InputError for unknown kinds, bad parameters and what loading and binding
/// refuse.
[[nodiscard]] RoutingSource open_routing(const std::string& text, const RoutedModel& model,
                                         std::uint64_t seed);

}  // namespace lacuna::routing
