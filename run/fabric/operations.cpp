// SPDX-License-Identifier: Apache-2.0
#include "run/fabric/operations.hpp"

#include "run/fabric/prune_again.hpp"
#include "run/fabric/result.hpp"
#include "run/fabric/vector.hpp"
#include "run/limits.hpp"
#include "run/machine_prices.hpp"
#include "run/step/overlap.hpp"

namespace lacuna {
namespace {

class ArrayOperations final : public IOperations {
 public:
  ArrayOperations(const FabricSpec& machine, const FabricOptions& options)
      : machine_(machine), options_(options), components_(priced_machine(machine)) {
    options_.components = &components_;
    options_.timeline = false;  // of the whole, not of each operation
    if (machine.overlap) options_.time = ArrayTime::left_out;  // it is the step's
  }

  [[nodiscard]] RunResult nothing() const override {
    RunResult out;
    out.name = machine_.name;
    out.clock = machine_.clock;
    out.format = {machine_.precision, machine_.word_bits};
    return out;
  }
  /// Clusters' buffers are their own, and what passes the level that they share is not kept there.
  [[nodiscard]] double room_on_chip() const override {
    return machine_.shared ? 0 : static_cast<double>(machine_.glb.capacity.count());
  }
  [[nodiscard]] QueryBlocks query_blocks() const override {
    const FabricSpec::Arrays& arrays = machine_.arrays;
    return {arrays.columns, std::max(arrays.columns, arrays.across_m * arrays.rows)};
  }
  [[nodiscard]] OperationProducts products(const Operation& operation,
                                           const ModelSparsity& sparsity,
                                           const OperationPlacement& placement,
                                           OperandPool& pool) const override {
    return products_of(operation, machine_, sparsity, placement, pool, true);
  }
  [[nodiscard]] bool has_limit() const override { return false; }
  void check(const std::string& /*name*/, const FabricInstance& /*product*/) const override {}
  [[nodiscard]] FabricInstance prune_again(const std::string& layer, const FabricInstance& product,
                                           std::uint64_t seed, double& kept) const override {
    return lacuna::prune_again(machine_, layer, product, seed, kept);
  }

  [[nodiscard]] OperationRun run(const std::string& name,
                                 const std::vector<FabricInstance>& products,
                                 std::uint64_t seed) override {
    FabricWorkload workload;
    workload.name = name;
    workload.instances = products;
    workload.seed = seed;
    OperationRun out;
    options_.program = &out.program;
    out.result = run_fabric(machine_, workload, options_);
    return out;
  }
  [[nodiscard]] OperationRun move(const PlacedOperation& placed) override {
    OperationRun out;
    options_.program = &out.program;
    out.result = run_vector(
        machine_, {placed.dram_read, placed.dram_write, placed.buffer_read, placed.buffer_write},
        options_);
    return out;
  }

  void overlap(const std::vector<StepBlock>& blocks, std::uint64_t executed,
               RunResult& total) const override {
    if (machine_.overlap) overlap_operations(machine_, blocks, options_, executed, total);
  }
  void finish(RunResult& total) const override { check_sum_limits(machine_, total); }

 private:
  const FabricSpec& machine_;
  FabricOptions options_;
  ComponentSet components_;
};

}  // namespace

std::unique_ptr<IOperations> make_operations(const FabricSpec& machine,
                                             const FabricOptions& options) {
  return std::make_unique<ArrayOperations>(machine, options);
}

}  // namespace lacuna
