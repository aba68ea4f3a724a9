// SPDX-License-Identifier: Apache-2.0
#include "workloads/routing/routing_source.hpp"

#include <algorithm>
#include <memory>

#include "base/error.hpp"
#include "workloads/routing/generators.hpp"
#include "workloads/routing/routing_spec.hpp"

namespace lacuna::routing {
namespace {

void check_request(const RouteRequest& request) {
  if (request.tokens == 0) {
    bad_routing("synthetic routing needs a number of tokens",
                "give --batch or the number of tokens");
  }
  if (request.sequences == 0 || request.tokens % request.sequences != 0) {
    bad_routing(fmt::format("{} tokens are not {} sequences of one length", request.tokens,
                            request.sequences),
                "choose tokens as a multiple of the sequences");
  }
}

/// The stream of one (kind, layer, step); prefill and decode steps count apart.
RandomStream stream(std::uint64_t seed, const char* kind, const RouteRequest& request) {
  return {seed, fmt::format("routing/{}/layer {}/{} {}", kind, request.layer,
                            request.phase == Phase::kDecode ? "decode" : "step", request.step)};
}

RoutedTokens generate(const RoutingSpec& spec, const RoutedModel& model, std::uint64_t seed,
                      const RouteRequest& request) {
  check_request(request);
  const RoutingShape shape{request.tokens, model.experts, model.top_k};
  RoutedTokens out{model.experts, model.top_k, {}, {}, {}};
  switch (spec.kind) {
    case RoutingSpec::Kind::kUniform: {
      auto random = stream(seed, "uniform", request);
      out.ids = uniform_routing(shape, random);
      break;
    }
    case RoutingSpec::Kind::kBalanced: {
      auto random = stream(seed, "balanced", request);
      out.ids = assign_loads(shape, balanced_loads(shape), random);
      break;
    }
    case RoutingSpec::Kind::kPowerLaw: {
      // Popularity belongs to the layer, not to the step: the same stream at every step.
      RandomStream popularity(seed, fmt::format("routing/power-law/layer {}", request.layer));
      const auto loads = power_law_loads(shape, spec.parameter, spec.ranks, popularity);
      auto random = stream(seed, "power-law", request);
      out.ids = assign_loads(shape, loads, random);
      break;
    }
    case RoutingSpec::Kind::kCorrelated: {
      RandomStream key(seed, fmt::format("routing/correlated/layer {}", request.layer));
      out.ids = correlated_routing(shape, spec.parameter,
                                   {request.sequences, request.first_position}, key());
      break;
    }
    default:
      LACUNA_CHECK(false, "not a generator");
  }
  return out;
}

RoutingSource open_generator(const RoutingSpec& spec, const std::string& text,
                             const RoutedModel& model, std::uint64_t seed) {
  check_shape({1, model.experts, model.top_k});
  if (model.experts % spec.ranks != 0) {
    bad_routing(fmt::format("{} experts do not divide over {} ranks", model.experts, spec.ranks),
                "");
  }
  return {fmt::format("synthetic {}, seed {}", text, seed),
          {},
          [=](const RouteRequest& request) { return generate(spec, model, seed, request); },
          0,
          0};
}

ExpertCounts choose_set(std::vector<ExpertCounts> sets, const RoutingSpec& spec,
                        const RoutedModel& model) {
  std::vector<std::string> labels;
  for (const auto& set : sets) labels.push_back(set.label());
  const auto wanted_model = spec.load.model.empty() ? model.name : spec.load.model;
  const auto narrow = [&](const auto& fits) {
    if (std::any_of(sets.begin(), sets.end(), fits)) std::erase_if(sets, std::not_fn(fits));
  };
  const auto demand = [&](const auto& fits, const std::string& what) {
    std::erase_if(sets, std::not_fn(fits));
    if (sets.empty()) {
      throw InputError(Place{spec.file, 0, ""}, "no counts for " + what,
                       fmt::format("it holds: {}", fmt::join(labels, "; ")));
    }
  };
  if (spec.domain) {
    demand([&](const ExpertCounts& s) { return s.domain == *spec.domain; },
           "domain=" + *spec.domain);
  }
  if (spec.top_k) {
    demand([&](const ExpertCounts& s) { return s.top_k == *spec.top_k || s.top_k == 0; },
           fmt::format("topk={}", *spec.top_k));
  }
  if (!wanted_model.empty()) {
    narrow([&](const ExpertCounts& s) { return same_model(s.model, wanted_model); });
  }
  narrow([&](const ExpertCounts& s) { return s.top_k == model.top_k; });
  if (sets.size() > 1) {
    std::vector<std::string> left;
    for (const auto& set : sets) left.push_back(set.label());
    throw InputError(
        Place{spec.file, 0, ""}, fmt::format("{} sets of counts fit", sets.size()),
        fmt::format("choose one with #domain=, #topk=, #model=: {}", fmt::join(left, "; ")));
  }
  return std::move(sets.front());
}

RoutingSource open_counts(const RoutingSpec& spec, const RoutedModel& model, std::uint64_t seed) {
  auto sets = load_counts(spec.file, spec.load);
  const auto counts =
      std::make_shared<const ExpertCounts>(choose_set(std::move(sets), spec, model));
  const auto binding =
      std::make_shared<const TraceBinding>(bind_trace(origin_of(*counts), model, spec.mapping));
  std::vector<std::string> notes = counts->notes;
  notes.insert(notes.end(), binding->notes.begin(), binding->notes.end());
  notes.push_back(fmt::format("counts-sampled: tokens drawn from the counts of {} with seed {}",
                              counts->label(), seed));
  auto route = [=](const RouteRequest& request) {
    check_request(request);
    const auto loads = binding->map_loads(
        counts->layer_loads(binding->trace_layer(request.layer, counts->source)));
    auto random = stream(seed, "counts", request);
    const RoutingShape shape{request.tokens, model.experts, model.top_k};
    return RoutedTokens{model.experts, model.top_k, sample_counts(shape, loads, random), {}, {}};
  };
  return {fmt::format("counts of {} ({}), sampled, seed {}", counts->label(), spec.file, seed),
          std::move(notes), std::move(route), 0, 0};
}

/// The blocks of one layer that serve a phase, in order.
std::vector<const RoutingBlock*> blocks_of(const RoutingTrace& trace, std::uint32_t layer,
                                           std::optional<Phase> phase) {
  std::vector<const RoutingBlock*> out;
  for (const auto& block : trace.blocks) {
    const bool fits = !phase || !block.phase || block.phase == phase;
    if (block.layer == layer && fits) out.push_back(&block);
  }
  return out;
}

RoutedTokens replay(const RoutingTrace& trace, const TraceBinding& binding,
                    const RouteRequest& request) {
  const std::uint32_t layer = binding.trace_layer(request.layer, trace.header.source);
  const auto blocks = blocks_of(trace, layer, request.phase);
  if (blocks.empty()) {
    throw InputError(Place{trace.header.source, 0, ""},
                     fmt::format("layer {} has no {} steps", layer,
                                 request.phase ? name_of(*request.phase) : "recorded"),
                     "run the phase that was recorded");
  }
  const std::size_t k = trace.header.top_k;
  std::size_t at = static_cast<std::size_t>(request.step % blocks.size());
  const std::size_t tokens = request.tokens == 0 ? trace.tokens(*blocks[at]) : request.tokens;
  RoutedTokens out{binding.experts, binding.top_k, {}, {}, {}};
  if (request.step >= blocks.size()) {
    out.note = fmt::format("step {} replays recorded step {}", request.step, blocks[at]->step);
  }
  std::vector<ExpertId> ids;
  std::size_t used = 0;
  while (ids.size() < tokens * k) {
    const RoutingBlock& block = *blocks[at % blocks.size()];
    const std::size_t take = std::min(tokens * k - ids.size(), block.ids.size());
    ids.insert(ids.end(), block.ids.begin(), block.ids.begin() + static_cast<std::ptrdiff_t>(take));
    if (!block.weights.empty() && binding.top_k == k) {
      out.weights.insert(out.weights.end(), block.weights.begin(),
                         block.weights.begin() + static_cast<std::ptrdiff_t>(take));
    }
    ++at;
    ++used;
  }
  if (used > 1) {
    out.note += fmt::format("{}{} tokens put together from {} recorded steps{}",
                            out.note.empty() ? "" : "; ", tokens, used,
                            used > blocks.size() ? ", some more than once" : "");
  }
  out.ids = binding.map_ids(ids, trace.header.top_k);
  return out;
}

RoutingSource open_trace(const RoutingSpec& spec, const RoutedModel& model) {
  refuse_choice_of_set(spec);
  const auto trace = std::make_shared<const RoutingTrace>(load_trace(spec.file, spec.load));
  const auto binding =
      std::make_shared<const TraceBinding>(bind_trace(origin_of(*trace), model, spec.mapping));
  std::vector<std::string> notes = trace->header.notes;
  notes.insert(notes.end(), binding->notes.begin(), binding->notes.end());
  const std::uint32_t first = trace->header.layers.front();
  return {fmt::format("{} trace {}", trace->header.format, spec.file), std::move(notes),
          [=](const RouteRequest& request) { return replay(*trace, *binding, request); },
          blocks_of(*trace, first, Phase::kPrefill).size(),
          blocks_of(*trace, first, Phase::kDecode).size()};
}

}  // namespace

RoutingSource::RoutingSource(std::string description, std::vector<std::string> notes, Route route,
                             std::uint64_t recorded_prefills, std::uint64_t recorded_decodes)
    : description_(std::move(description)),
      notes_(std::move(notes)),
      route_(std::move(route)),
      recorded_prefills_(recorded_prefills),
      recorded_decodes_(recorded_decodes) {}

RoutingSource open_routing(const std::string& text, const RoutedModel& model, std::uint64_t seed) {
  const RoutingSpec spec = parse_routing_spec(text);
  if (spec.kind == RoutingSpec::Kind::kTrace) return open_trace(spec, model);
  if (spec.kind == RoutingSpec::Kind::kCounts) return open_counts(spec, model, seed);
  return open_generator(spec, text, model, seed);
}

}  // namespace lacuna::routing
