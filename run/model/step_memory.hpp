// SPDX-License-Identifier: Apache-2.0
// What memory must hold at least for a step of a model: the weights of every operation, what is
// cached, and the most that one operation needs beside them. Experts that no token chose, and
// tables of embeddings, would come on top.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>

#include "run/result.hpp"
#include "workloads/operation_graph.hpp"

namespace lacuna {

class StepMemory {
 public:
  /// An operation that is a product, executed so often, each time with operands of its own.
  void add(const Operation& op, const InMemory& one, std::uint64_t times) {
    const EinsumOperand& stationary = op.einsum->operands[2];
    if (stationary.kind == OperandKind::kWeight) return sum_.add(one, times);
    sum_.rest = std::max(sum_.rest, one.rest);
    if (stationary.kind != OperandKind::kCache) return;
    double elements = stationary.shared ? 1 : static_cast<double>(op.einsum->batch);
    for (const std::uint32_t rank : stationary.ranks) {
      elements *= static_cast<double>(op.einsum->ranks[rank].size);
    }
    // Several operations of a block may read the same lines: the largest tensor of each.
    double& most = cached_[op.block];
    most = std::max(most, elements * stationary.bits / 8 * static_cast<double>(times));
  }
  [[nodiscard]] InMemory all() const {
    InMemory out = sum_;
    for (const auto& [block, bytes] : cached_) out.a += static_cast<std::uint64_t>(bytes);
    return out;
  }

 private:
  InMemory sum_;
  std::map<std::uint64_t, double> cached_;  // bytes by block
};

}  // namespace lacuna
