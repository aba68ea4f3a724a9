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

#include "run/fabric/operations.hpp"
#include "run/operation/products.hpp"
#include "run/product/operations.hpp"
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

/// `beside` says how many operations were simulated and executed, and what a mask left. Throws
/// InputError for a product that is too large for the machine.
[[nodiscard]] RunResult run_model(IOperations& machine, const ModelWorkload& workload,
                                  bool timeline);

template <class Spec, class Options = ProductOptions>
[[nodiscard]] RunResult run_model(const Spec& machine, const ModelWorkload& workload,
                                  const Options& options) {
  return run_model(*make_operations(machine, options), workload, options.timeline);
}

}  // namespace lacuna
