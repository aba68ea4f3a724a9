// SPDX-License-Identifier: Apache-2.0
// The readers behind load_routing(), one per format. Not for use outside this folder.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "workloads/routing/load_routing.hpp"
#include "workloads/routing/text_table.hpp"
#include "workloads/routing/trace_builder.hpp"

namespace lacuna::routing {

/// The rules that the options alone decide.
[[nodiscard]] TraceRules rules_from(const LoadOptions& options);

// JSON lines.
[[nodiscard]] RoutingTrace read_community_jsonl(const std::string& file, std::string_view text,
                                                const LoadOptions& options);
[[nodiscard]] RoutingTrace read_mixtral_jsonl(const std::string& file, std::string_view text,
                                              const LoadOptions& options);
[[nodiscard]] RoutingTrace read_moe_balance_jsonl(const std::string& file, std::string_view text,
                                                  const LoadOptions& options);
[[nodiscard]] RoutingTrace read_ai2_jsonl(const std::string& file, std::string_view text,
                                          const LoadOptions& options);
// CSV; the table stands behind its header.
[[nodiscard]] RoutingTrace read_compact_csv(TextTable& table, const LoadOptions& options);
[[nodiscard]] RoutingTrace read_dense_csv(TextTable& table, const LoadOptions& options);
[[nodiscard]] std::vector<ExpertCounts> read_count_csv(TextTable& table,
                                                       const LoadOptions& options);
[[nodiscard]] std::vector<CrossLayerCounts> read_cross_layer_csv(TextTable& table);
/// Top-1 counts of both layers; throws when two pairs disagree about the layer they share.
[[nodiscard]] std::vector<ExpertCounts> cross_layer_margins(
    const std::string& file, const std::vector<CrossLayerCounts>& tables);
// JSON.
[[nodiscard]] std::vector<ExpertCounts> read_logical_count(const std::string& file,
                                                           std::string_view text,
                                                           const LoadOptions& options);
// Binary arrays, .npy or .npz.
[[nodiscard]] LoadedRouting read_array(const std::string& file, const std::string& bytes,
                                       const LoadOptions& options);

}  // namespace lacuna::routing
