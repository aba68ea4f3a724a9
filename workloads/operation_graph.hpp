// SPDX-License-Identifier: Apache-2.0
// The operations of a workload and the tensors between them. Layers that do the same are one block
// of vertices with a list of the layers it stands for, so the graph does not grow with the depth of
// a model; the blocks follow one another, and each is entered and left through one vertex (beside
// it, a cache that only later steps read ends a branch).
#pragma once

#include <boost/graph/adjacency_list.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/units.hpp"
#include "workloads/einsum.hpp"
#include "workloads/operation_role.hpp"

namespace lacuna {

enum class OperationKind {
  kEinsum,
  kNorm,
  kRope,
  kSoftmax,
  kActivation,  // SwiGLU and its relatives
  kElementwise,
  kCacheAppend,
  kRouter,  // scores, group limits and weights of the choice
  kTopK,
  kDispatch,
  kCombine,
  kLookup,
};

[[nodiscard]] std::string_view name_of(OperationKind kind);

/// One operation of one layer. Bytes are those of one execution; `block` says how often it runs.
struct Operation {
  std::string name;  // unique within its block
  Role role = Role::kUnset;
  OperationKind kind = OperationKind::kElementwise;
  std::optional<Einsum> einsum;  // kEinsum only
  std::uint32_t block = 0;

  // Bytes of what it reads and writes, whether or not a dataflow keeps them on chip; an operand a
  // fused predecessor has read already counts there alone. Weights of routed experts count the
  // experts that are touched, an expectation when counts are not given.
  std::uint64_t weight_elements = 0;
  Bytes weight_bytes{0};  // with quantisation scales
  Bytes cache_read_bytes{0};
  Bytes cache_write_bytes{0};
  Bytes activation_read_bytes{0};
  Bytes activation_write_bytes{0};
  Bytes index_bytes{0};

  /// GEMM FLOPs; operations that are no einsum have none.
  [[nodiscard]] std::uint64_t flops() const { return einsum ? einsum->flops() : 0; }
  [[nodiscard]] Bytes moved_bytes() const {
    return weight_bytes + cache_read_bytes + cache_write_bytes + activation_read_bytes +
           activation_write_bytes + index_bytes;
  }
};

/// What flows along an edge in one execution.
struct GraphTensor {
  std::string name;
  Bytes bytes{0};
  /// Which operand of its consumer it is: its place in Einsum::operands, so 1 is the first input.
  /// Inputs of an operation that is no einsum are counted alike. None: positions, which say what is
  /// read of an operand.
  std::optional<std::uint32_t> operand = {};
};

/// A run of vertices that executes once for each of its layers; the parts outside the layers
/// (embedding, head) have no layers and execute once.
struct GraphBlock {
  std::string name;
  std::vector<std::uint32_t> layers;
  [[nodiscard]] std::uint64_t repeat() const { return layers.empty() ? 1 : layers.size(); }
};

struct GraphInfo {
  std::string name;
  std::vector<GraphBlock> blocks;
  std::string phase;            // "decode" or "prefill"; empty: no step of a whole model
  std::uint64_t sequences = 0;  // of the step
  std::uint64_t tokens = 0;     // of the step, over all sequences
};

using OperationGraph = boost::adjacency_list<boost::vecS, boost::vecS, boost::bidirectionalS,
                                             Operation, GraphTensor, GraphInfo>;
using OperationId = boost::graph_traits<OperationGraph>::vertex_descriptor;

[[nodiscard]] inline const GraphInfo& info_of(const OperationGraph& graph) {
  return graph[boost::graph_bundle];
}
/// Lets `to` read what `from` writes, as its operand `operand`. Not checked: see
/// check_operations().
void connect(OperationGraph& graph, OperationId from, OperationId to,
             std::optional<std::uint32_t> operand);
/// The operation that writes operand `operand` of `id`, or nothing: a weight, an older cache.
[[nodiscard]] std::optional<OperationId> producer_of(const OperationGraph& graph, OperationId id,
                                                     std::uint32_t operand);
/// What every builder of a graph ends with. Throws ModelError unless each operation has a role,
/// comes after all it reads, and has one producer at most for each operand, none for a weight; a
/// tensor that is no operand comes from a choice of positions (kTopK).
void check_operations(const OperationGraph& graph);
/// How often the operation runs in the whole step.
[[nodiscard]] std::uint64_t repeat_of(const OperationGraph& graph, OperationId id);

/// Totals over all executions.
struct OperationTotals {
  std::uint64_t flops = 0;
  std::uint64_t weight_elements = 0;
  Bytes weight_bytes{0};
  Bytes cache_read_bytes{0};
  Bytes cache_write_bytes{0};
  Bytes activation_bytes{0};
  Bytes index_bytes{0};

  void add(const Operation& operation, std::uint64_t times);
  [[nodiscard]] Bytes moved_bytes() const {
    return weight_bytes + cache_read_bytes + cache_write_bytes + activation_bytes + index_bytes;
  }
};

[[nodiscard]] OperationTotals totals(const OperationGraph& graph);
/// In order of first appearance.
[[nodiscard]] std::vector<std::pair<Part, OperationTotals>> totals_by_part(
    const OperationGraph& graph);
/// The operation of that name in the block of `layer` (none: outside the layers).
[[nodiscard]] std::optional<OperationId> find_operation(const OperationGraph& graph,
                                                        std::string_view name,
                                                        std::optional<std::uint32_t> layer = {});

/// FLOP per byte the operation moves when it runs alone; 0 when it moves nothing.
[[nodiscard]] double arithmetic_intensity(const Operation& operation);
/// FLOP per byte of weights and cache read: what limits a fused implementation, whose activations
/// stay on chip; 0 when it reads neither.
[[nodiscard]] double stationary_intensity(const OperationTotals& totals);

/// What one execution of an operation costs, in any unit.
using OperationCost = std::function<double(const Operation&)>;
[[nodiscard]] OperationCost flop_cost();
/// Seconds: the larger of flops / peak and moved bytes / bandwidth.
[[nodiscard]] OperationCost roofline_cost(double flops_per_second, double bytes_per_second);

struct CriticalPath {
  std::vector<OperationId> operations;  // in order of execution
  double cost = 0;                      // over all repetitions
};
/// The longest chain of dependent operations, each weighted by its repetitions; of equal chains the
/// one through the earlier operations, to the last end. Exact because the repetitions of a block
/// are serial and each passes through its one entry and one exit. Operations must come after what
/// they read (check_operations()).
[[nodiscard]] CriticalPath critical_path(const OperationGraph& graph, const OperationCost& cost);

/// Graphviz text: a cluster per block, operations with their shapes, edges with their bytes;
/// `highlight` (a critical path) is drawn bold.
[[nodiscard]] std::string to_dot(const OperationGraph& graph,
                                 const std::vector<OperationId>& highlight = {});

}  // namespace lacuna
