// SPDX-License-Identifier: Apache-2.0
// What build_graph() and the parts of a layer share: adding operations with their bytes.
#pragma once

#include <initializer_list>
#include <span>
#include <string>

#include "workloads/models/build_graph.hpp"

namespace lacuna {

class GraphBuilder {
 public:
  GraphBuilder(const ModelSpec& spec, const Step& step);

  const ModelSpec& spec;
  const Step& step;
  std::uint64_t sequences;
  std::uint64_t queries;  // new tokens per sequence
  std::uint64_t context;
  std::uint64_t tokens;      // sequences * queries
  std::uint32_t value_bits;  // of activations
  LatentForm form;
  std::span<const sparsity::HeadLines> lines;  // of the query heads of the block; may be empty
  OperationGraph graph;

  /// Opens a block; what is added from here on belongs to it.
  void open_block(std::string name, std::vector<std::uint32_t> layers);
  using Inputs = std::initializer_list<OperationId>;
  /// Adds an operation that reads what `inputs` write: its operands 1, 2, ... in that order.
  OperationId add(Operation operation, Inputs inputs);
  /// An einsum: bytes by the kind of its operands.
  OperationId einsum(std::string name, Role role, Einsum einsum, Inputs inputs,
                     std::uint64_t vector_weights = 0);
  /// rows x in by a weight [in, out]; `bias` adds `out` weights.
  OperationId linear(std::string name, Role role, std::uint64_t rows, std::uint64_t in,
                     std::uint64_t out, const WeightFormat& format, Inputs inputs,
                     bool bias = false);
  /// No GEMM: reads and writes activations of the step's value width, and plain weights.
  OperationId vector(std::string name, Role role, OperationKind kind, std::uint64_t elements_read,
                     std::uint64_t elements_written, Inputs inputs, std::uint64_t weights = 0);

  /// Marks operand `index` as weights of `format`, stored [out, in].
  static void make_weight(Einsum& einsum, std::size_t index, const WeightFormat& format,
                          std::uint64_t out, std::uint64_t in);
  /// The activations a quantised weight is multiplied with.
  static void match_activation(EinsumOperand& operand, const WeightFormat& format,
                               std::uint64_t rows, std::uint64_t in);
  [[nodiscard]] Bytes plain_bytes(std::uint64_t elements) const;
  [[nodiscard]] Bytes value_bytes(std::uint64_t elements) const;
  /// Lets `to` read what `from` writes, as its operand `operand`; none: as positions.
  void connect(OperationId from, OperationId to, std::optional<std::uint32_t> operand) {
    lacuna::connect(graph, from, to, operand);
  }
  [[nodiscard]] Operation& at(OperationId id) { return graph[id]; }
};

/// The residual stream before and after a part of a layer: nothing before the first operation.
using Stream = std::optional<OperationId>;

/// One layer's attention and its residual addition (attention_operations.cpp).
[[nodiscard]] OperationId add_attention(GraphBuilder& builder, Stream in, std::uint64_t window);
/// Dense feed-forward and its residual addition (ffn_operations.cpp).
[[nodiscard]] OperationId add_dense_ffn(GraphBuilder& builder, OperationId in);
/// Router, dispatch, experts, shared experts, combine, residual. `counts` may be empty.
[[nodiscard]] OperationId add_moe(GraphBuilder& builder, OperationId in,
                                  std::span<const std::uint32_t> counts);

/// Balanced counts of a step under uniform routing: k tokens-per-expert assignments over the
/// expected number of distinct experts, spread over the expert ids.
[[nodiscard]] std::vector<std::uint32_t> uniform_counts(const RoutingRule& rule,
                                                        std::uint64_t tokens);

}  // namespace lacuna
