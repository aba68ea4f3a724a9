// SPDX-License-Identifier: Apache-2.0
// A machine as networks and models see it: it runs one operation after another. Each class of
// system in arch has one implementation; who walks a network or a graph knows none of them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "run/model/placement.hpp"
#include "run/result.hpp"
#include "run/step/step_time.hpp"

namespace lacuna {

struct OperationRun {
  RunResult result;
  std::shared_ptr<const ArrayProgram> program;  // null: it has no part in a step's simulation
};

class IOperations {
 public:
  virtual ~IOperations() = default;

  /// A result of nothing: the machine's name, clock and number format.
  [[nodiscard]] virtual RunResult nothing() const = 0;
  /// Bytes in which an operation can leave its outputs for the next; 0: none stays on chip.
  [[nodiscard]] virtual double room_on_chip() const = 0;
  [[nodiscard]] virtual QueryBlocks query_blocks() const = 0;
  [[nodiscard]] virtual OperationProducts products(const Operation& operation,
                                                   const ModelSparsity& sparsity,
                                                   const OperationPlacement& placement,
                                                   OperandPool& pool) const = 0;
  /// Whether a product can be too large for the machine, in which case all of a workload are looked
  /// at before any takes time.
  [[nodiscard]] virtual bool has_limit() const = 0;
  /// Throws InputError for a product that is too large.
  virtual void check(const std::string& name, const FabricInstance& product) const = 0;
  /// The layer's operands with at most what the machine's patterns allow; `kept` becomes the share
  /// of its nonzeros. Throws InputError for a machine without patterns.
  [[nodiscard]] virtual FabricInstance prune_again(const std::string& layer,
                                                   const FabricInstance& product,
                                                   std::uint64_t seed, double& kept) const = 0;

  /// Products that run together. `unsupported` of the result says why the machine cannot.
  [[nodiscard]] virtual OperationRun run(const std::string& name,
                                         const std::vector<FabricInstance>& products,
                                         std::uint64_t seed) = 0;
  /// An operation that is no product.
  [[nodiscard]] virtual OperationRun move(const PlacedOperation& placed) = 0;

  /// Of operations added up one after another: lets them follow each other in one simulation, where
  /// the machine does. `executed`: how many were added.
  virtual void overlap(const std::vector<StepBlock>& blocks, std::uint64_t executed,
                       RunResult& total) const = 0;
  /// Compares the total with what the machine cannot exceed, adds what is to be said of it.
  virtual void finish(RunResult& total) const = 0;
};

}  // namespace lacuna
