// SPDX-License-Identifier: Apache-2.0
// Any routing file: what it is is told from its content. Formats: reference 'trace formats' 3 to 5.
//
//   routed rows   community JSONL (vLLM patches), Mixtral collector JSONL, compact CSV
//                 ([step,phase,]tok,layer,e0..,w0..), dense-score CSV
//                 (layer_id,token_id,expert_0..), AI2 JSONL (exp_ids [tokens][k][layers]),
//                 moe-balance JSONL, .npy/.npz ids [tokens, layers, k]
//   counts        CSV (layer,expert,count with optional model,topk_counted,domain; SGLang's
//                 layer_id,expert_id,count), cross-layer CSV (its margins), JSON logical_count
//                 [layers][E] or [steps][layers][E], .npy [capacity, layers, E]
//
// gzip is inflated. What is recognised but cannot be routing is refused with the reason.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "workloads/routing/expert_counts.hpp"
#include "workloads/routing/routing_trace.hpp"

namespace lacuna::routing {

/// What the file does not say, or should be read differently.
struct LoadOptions {
  std::string model;                     // the model it comes from, where the file names none
  std::optional<std::uint32_t> experts;  // E; ids at or above it are errors
  std::optional<std::uint32_t> layer;    // dense-score CSV: its layer_id column is always 0
  std::optional<std::string> array;      // .npz: which member
  bool as_counts = false;                // an array is [steps, layers, E] counts, not ids
  std::uint32_t dummy_run = 32;          // see TraceRules
  bool allow_ragged = false;             // layers of a step may differ in tokens
};

struct LoadedRouting {
  std::string format;
  /// Count files may hold several sets (models, domains).
  std::variant<RoutingTrace, std::vector<ExpertCounts>> data;
};

/// Throws InputError with file and line: not a routing file, truncated, shuffled, wrong width, ids
/// negative, repeated or not below E, weights that are not finite.
[[nodiscard]] LoadedRouting load_routing(const std::filesystem::path& path,
                                         const LoadOptions& options = {});

/// load_routing() that insists on routed rows.
[[nodiscard]] RoutingTrace load_trace(const std::filesystem::path& path,
                                      const LoadOptions& options = {});
/// load_routing() that insists on counts.
[[nodiscard]] std::vector<ExpertCounts> load_counts(const std::filesystem::path& path,
                                                    const LoadOptions& options = {});

}  // namespace lacuna::routing
