// SPDX-License-Identifier: Apache-2.0
// A trace belongs to the model it was taken from. Used with that model, layers and experts stand
// for themselves; used with another, the user says which layer and expert stands for which, and the
// result says so. The same rule serves counts and, for layers, activation and attention tables.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "workloads/routing/expert_counts.hpp"
#include "workloads/routing/routing_trace.hpp"

namespace lacuna::routing {

/// The model that is being run, as far as routing needs it.
struct RoutedModel {
  std::string name;
  std::uint32_t experts = 0;
  std::uint32_t top_k = 0;
  std::uint32_t layers = 0;           // L
  std::uint32_t first_moe_layer = 0;  // first_k_dense_replace
};

/// Where routing or a table comes from.
struct TraceOrigin {
  std::string source;
  std::string model;  // empty: not said
  std::uint32_t experts = 0;
  bool experts_stated = true;
  std::uint32_t top_k = 0;  // 0: not said
  std::vector<std::uint32_t> layers;
  LayerNumbering numbering = LayerNumbering::kModel;
  bool physical_ids = false;
};
[[nodiscard]] TraceOrigin origin_of(const RoutingTrace& trace);
[[nodiscard]] TraceOrigin origin_of(const ExpertCounts& counts);

/// Whether two names mean the same model: owner, case, punctuation and the tails that tell
/// fine-tuning, precision and release (instruct, chat, fp8, v0.1, 0924...) do not count.
[[nodiscard]] bool same_model(const std::string& a, const std::string& b);

struct TraceBinding {
  enum class Experts { kSame, kModulo };
  std::map<std::uint32_t, std::uint32_t> layers;  // model layer -> trace layer
  Experts expert_map = Experts::kSame;
  std::uint32_t experts = 0;  // of the model
  std::uint32_t top_k = 0;    // of the model; the trace's first top_k ids are used
  bool other_model = false;
  std::vector<std::string> notes;  // for the result: what was assumed or mapped

  /// The trace's layer for a model layer. Throws InputError when the trace does not cover it.
  [[nodiscard]] std::uint32_t trace_layer(std::uint32_t model_layer,
                                          const std::string& source) const;
  /// Ids of whole tokens (`trace_k` each) in the model's experts, top_k per token. Under modulo an
  /// id that is taken already in its token moves to the next free one.
  [[nodiscard]] std::vector<ExpertId> map_ids(std::span<const ExpertId> ids,
                                              std::uint32_t trace_k) const;
  /// Loads per expert of the model.
  [[nodiscard]] std::vector<std::uint64_t> map_loads(std::span<const std::uint64_t> loads) const;
};

/// Without a mapping the models must be the same (an unnamed trace counts as the model's own when
/// E and k agree, with a note), E and k equal, and the layers within the model: by number, or for
/// arrays by the rule of length (L - first_moe_layer: MoE layers only; L: all).
/// With a mapping, comma-separated items:
///   layers:0-7=3-10   trace layers 0-7 stand for model layers 3-10 (repeatable; 5=3-10: one for
///                     all); layers:same (the default), layers:nearest, layers:cycle
///   experts:same      (the default; the trace's E at most the model's), experts:mod (id mod E)
///   topk:first        the trace's k may be larger; its first ids are used
/// Throws InputError that says what differs and what mapping would do.
[[nodiscard]] TraceBinding bind_trace(const TraceOrigin& origin, const RoutedModel& model,
                                      const std::string& mapping = {});

/// Layers only, for tables of other kinds; `experts` and `topk` items are refused.
[[nodiscard]] TraceBinding bind_table(const TraceOrigin& origin, const RoutedModel& model,
                                      const std::string& mapping = {});

}  // namespace lacuna::routing
