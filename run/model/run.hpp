// SPDX-License-Identifier: Apache-2.0
// One step of a model on one machine: every operation of its graph, in its order.
//
// On arrays behind one buffer the whole step is one simulation, in which operations fetch ahead
// (run/step); on other machines each starts when the one before has ended, fill and drain included.
// What operations count is simulated once for those that are alike (machine, products, placement).
// Operations that are no matrix product move their bytes through DRAM and the port of the global
// buffer; their arithmetic is not modelled.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "run/fabric/run.hpp"
#include "run/operation/products.hpp"
#include "run/result_sum.hpp"
#include "workloads/models/model_spec.hpp"
#include "workloads/operation_graph.hpp"

namespace lacuna {

struct ModelWorkload {
  std::string name;
  OperationGraph graph;
  ModelSparsity sparsity;
  std::vector<std::string> notes;             // of routing and of sparsity
  std::map<std::string, std::string> inputs;  // file -> sha256
  std::shared_ptr<OperandPool> pool;          // shared by the machines of a run
};

[[nodiscard]] inline StepReport step_of(const OperationGraph& graph) {
  const GraphInfo& info = info_of(graph);
  return {info.phase, info.sequences, info.tokens};
}

/// `beside` says how many operations were simulated and executed, and what a mask left.
[[nodiscard]] RunResult run_model(const FabricSpec& machine, const ModelWorkload& workload,
                                  const FabricOptions& options);

/// The same on a machine for sparse products: every distinct product explicit, at most
/// kMostExplicitNonzeros (explicit_rows.hpp) in its operands. Throws InputError for a larger one.
[[nodiscard]] RunResult run_model(const MachineSpec& machine, const ModelWorkload& workload,
                                  const ProductOptions& options);

}  // namespace lacuna
