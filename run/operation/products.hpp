// SPDX-License-Identifier: Apache-2.0
// From an einsum of a model's graph to the products that a MAC-array machine runs.
//
// The stationary operand A is the one that many columns share: the weight (M = its outputs,
// N = tokens), or the keys and values (scores: M = keys, K = head width; context: M = value width,
// K = keys), B the queries or probabilities; neither has zeros to skip, so a product of few rows
// and many columns is turned around: A the queries or probabilities. Experts with equally many
// tokens are alike and become one instance; so do sequences and heads. A causal mask is followed in
// blocks of queries, each against the keys that its last query sees.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "arch/spec/fabric_spec.hpp"
#include "dataflows/fabric_compile.hpp"
#include "workloads/operation_graph.hpp"

namespace lacuna {

/// Zeros in a model's operands. Weights do not exist: their patterns are procedural.
struct ModelSparsity {
  Pattern attention_weights, ffn_weights, expert_weights;  // dense unless given
  Pattern activations;  // of what weights are multiplied with: dense, uniform or HSS
  std::uint64_t seed = 1;
};

/// Which tensors of an operation are on chip, and what the buffer holds meanwhile.
struct OperationPlacement {
  bool stationary_on_chip = false, streamed_on_chip = false, result_on_chip = false;
  double held_bytes = 0;
};

/// Keeps operands that occur again, over operations and machines.
class OperandPool {
 public:
  explicit OperandPool(std::uint64_t seed) : seed_(seed) {}
  [[nodiscard]] std::shared_ptr<const GemmOperands> get(std::uint64_t m, std::uint64_t n,
                                                        std::uint64_t k, const Pattern& a,
                                                        const Pattern& b);

 private:
  std::uint64_t seed_;
  std::map<std::string, std::shared_ptr<const GemmOperands>> known_;
};

struct OperationProducts {
  std::vector<FabricInstance> list;
  bool turned = false;  // the streamed operand is A
};

/// The products of an einsum of two operands. `spec` gives the word width and the arrays. Products
/// of activations are turned around where that fills the arrays better, if they `may_turn`.
[[nodiscard]] OperationProducts products_of(const Operation& operation, const FabricSpec& spec,
                                            const ModelSparsity& sparsity,
                                            const OperationPlacement& placement, OperandPool& pool,
                                            bool may_turn);

/// What makes two lists of products cost the same on one machine.
[[nodiscard]] std::string key_of(const std::vector<FabricInstance>& instances);

}  // namespace lacuna
