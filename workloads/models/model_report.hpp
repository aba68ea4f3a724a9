// SPDX-License-Identifier: Apache-2.0
// What `lacuna model` says about a model and a step: as a table for people, JSON for programs
// ("schema": "lacuna.model/1") and a graph picture.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "workloads/models/build_graph.hpp"
#include "workloads/models/routed_step.hpp"
#include "workloads/operation_graph.hpp"
#include "workloads/step_schedule.hpp"

namespace lacuna {

struct ReportOptions {
  Step step;
  std::shared_ptr<const StepRouting> routing;  // where the step's tokens per expert come from
  std::optional<PeakRates> rates;  // times the step; without them its longest chain is in FLOPs
  std::vector<std::string> notes;  // to pass on
  bool per_layer = false;  // list every layer's operations instead of one block's with its count
};

/// One operation of a block (or of one layer when listed per layer). Quantities are of one
/// execution.
struct OperationLine {
  std::string block;
  std::string name;
  std::string group;
  std::string kind;
  std::string equation;  // empty unless an einsum
  std::string shape;     // "m=64 k=7168 n=1536", and "x8" for independent instances
  std::uint64_t repeat = 1;
  std::uint64_t flops = 0;
  OperationTotals bytes;  // of one execution
  double intensity = 0;   // FLOP per byte moved
  bool critical = false;
};

struct ModelReport {
  ModelSpec spec;
  Step step;
  std::shared_ptr<const StepRouting> routing;  // empty: uniform, as expected
  std::uint64_t new_tokens = 0;                // per sequence
  std::uint64_t tokens = 0;                    // of the step
  std::string attention;                       // "MLA, absorbed", "GQA", ...
  ParameterCounts parameters;
  Bytes kv_bytes_per_token{0};
  std::uint64_t gemm_flops_per_token = 0;
  std::uint64_t attention_flops =
      0;  // one query against `context` keys, all layers, in the form taken
  std::vector<OperationLine> operations;
  std::vector<std::pair<Part, OperationTotals>> groups;
  OperationTotals total;
  double expected_distinct_experts = 0;  // per MoE layer, uniform routing
  /// With rates: the time of the step, in which operations that run together share them. Otherwise
  /// the longest chain of dependent operations, in FLOPs.
  double critical_cost = 0;
  std::string critical_unit;          // "FLOP" or "s"
  std::vector<OperationId> critical;  // operations that set the cost, in order
  std::optional<StepSchedule> schedule;
  std::vector<std::string> notes;  // what the reader should know of the step
  OperationGraph graph;
};

/// `options.routing`, when given, replaces the step's own tokens per expert.
[[nodiscard]] ModelReport make_report(const ModelSpec& spec, const ReportOptions& options);
[[nodiscard]] std::string model_table(const ModelReport& report);
[[nodiscard]] std::string model_json(const ModelReport& report);
/// One row per operation listed, quantities in FLOP and bytes of one execution.
[[nodiscard]] std::string operations_csv(const ModelReport& report);
[[nodiscard]] std::string model_dot(const ModelReport& report);

/// Renders a DOT file with Graphviz: the picture's path (.svg beside it), or nothing when `dot` is
/// not installed or fails.
[[nodiscard]] std::optional<std::filesystem::path> render_dot(const std::filesystem::path& file);

}  // namespace lacuna
