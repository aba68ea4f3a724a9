// SPDX-License-Identifier: Apache-2.0
// Weights as products of two thinner ones: W[out, in] = U[out, r] V[r, in], as a rewrite of the
// operation graph. x W becomes (x V) U, two operations in a chain.
#pragma once

#include <string>
#include <vector>

#include "workloads/models/model_spec.hpp"
#include "workloads/operation_graph.hpp"

namespace lacuna {

/// `rules` are "WHAT:RANK" with commas between; WHAT is a group's short name (attention, ffn,
/// experts, shared) or an operation ("o_proj", "expert_down"), which goes before its group. Each
/// weight of plain and of grouped products is replaced where that makes it smaller:
/// r (in + out) < in out; others stay and are named. The factors keep the weight's format, their
/// scales follow from their own shapes; the tensor in between has the step's activation width, or
/// the format's where it is quantised. Biases stay with the second factor. Expert weights are
/// factorised one by one.
/// MLA's q_absorb and v_up (one small product per head) are not rewritten.
///
/// Throws InputError (field "low_rank") for rules that do not parse, name nothing of the step, or
/// have rank 0. Returns the rewritten graph, and what the result should say.
struct Factorized {
  OperationGraph graph;
  std::vector<std::string> notes;
};
[[nodiscard]] Factorized factorize(const OperationGraph& graph, const ModelSpec& model,
                                   const std::string& rules);

}  // namespace lacuna
