// SPDX-License-Identifier: Apache-2.0
#include "run/product/operations.hpp"

#include <map>
#include <set>

#include "base/error.hpp"
#include "base/whole.hpp"
#include "run/explicit_rows.hpp"
#include "run/limits.hpp"
#include "run/result_sum.hpp"

namespace lacuna {
namespace {

class ProductOperations final : public IOperations {
 public:
  ProductOperations(const MachineSpec& machine, const ProductOptions& options)
      : machine_(machine), options_(options) {
    options_.timeline = false;  // of the whole, not of each product
    // Its words are bytes here; only the block of queries is read beside the width.
    words_.word_bits = 8;
    words_.arrays.columns = machine.microtile.n0;
  }

  [[nodiscard]] RunResult nothing() const override {
    RunResult out;
    out.name = machine_.name;
    out.clock = machine_.clock;
    out.format = format_of(machine_);
    return out;
  }
  [[nodiscard]] double room_on_chip() const override { return 0; }
  [[nodiscard]] QueryBlocks query_blocks() const override {
    return {words_.arrays.columns, words_.arrays.columns};
  }
  [[nodiscard]] OperationProducts products(const Operation& operation,
                                           const ModelSparsity& sparsity,
                                           const OperationPlacement& /*placement*/,
                                           OperandPool& pool) const override {
    return products_of(operation, words_, sparsity, {}, pool, false);
  }

  [[nodiscard]] bool has_limit() const override { return true; }
  void check(const std::string& name, const FabricInstance& product) const override {
    const GemmOperands& operands = *product.operands;
    const std::uint64_t nonzeros = operands.a().count() + operands.b_transposed().count();
    if (nonzeros <= kMostExplicitNonzeros) return;
    throw InputError(
        fmt::format("{}: {} x {} x {} has {} nonzeros, {} takes its operands explicitly and at "
                    "most {}",
                    name, operands.m(), operands.n(), operands.k(), nonzeros, machine_.name,
                    kMostExplicitNonzeros),
        "run it on a machine of the tensor-core class, or a smaller step (--layers, --images)");
  }
  [[nodiscard]] FabricInstance prune_again(const std::string& /*layer*/,
                                           const FabricInstance& /*product*/,
                                           std::uint64_t /*seed*/,
                                           double& /*kept*/) const override {
    throw InputError(fmt::format("--re-prune: {} has no patterns to prune to", machine_.name),
                     "leave it out, or run on machines of the tensor-core class alone");
  }

  [[nodiscard]] OperationRun run(const std::string& name,
                                 const std::vector<FabricInstance>& products,
                                 std::uint64_t seed) override {
    OperationRun out{nothing(), nullptr};
    std::set<std::string> notes;
    for (const FabricInstance& instance : products) {
      const RunResult& one = product(name, instance.operands, seed);
      add_result(out.result, one, instance.times);
      out.result.in_memory.add(one.in_memory, instance.times);
      notes.insert(one.provenance.warnings.begin(), one.provenance.warnings.end());
      if (instance.b_footprint == 1) continue;
      notes.insert(
          "windows of convolutions overlap: this machine fetches what they share once for each");
    }
    out.result.provenance.warnings.assign(notes.begin(), notes.end());
    find_limiter(out.result.statistics);
    return out;
  }

  /// Bytes over the bandwidth, after one latency; energy of DRAM alone.
  [[nodiscard]] OperationRun move(const PlacedOperation& placed) override {
    OperationRun run{nothing(), nullptr};
    RunResult& out = run.result;
    const auto read = whole_near(placed.dram_read), written = whole_near(placed.dram_write);
    const Bytes bytes(read + written);
    const double cycles = static_cast<double>(bytes.count()) / machine_.dram.bytes_per_cycle;
    out.statistics.cycles_bound = Cycles(whole_down(cycles));
    out.statistics.cycles =
        out.statistics.cycles_bound + machine_.dram.latency + Cycles(bytes.count() > 0 ? 1 : 0);
    out.statistics.bounds["dram"] = out.statistics.cycles_bound;
    out.statistics.cycles_bound_by = "dram";
    out.statistics.dram_bytes_per_cycle = machine_.dram.bytes_per_cycle;
    out.statistics.traffic["dram"]["vector"] = {read, written};
    out.statistics.meters.ports = {
        {"dram", {bytes.count(), 1, 0, 0, {}}}, {"llb", {}}, {"llb_fill", {}}};
    if (machine_.waits_for_banks()) out.statistics.meters.ports["llb_banks"];
    // A step without a product filled no buffer.
    for (const char* buffer : {"llb", "llb.A", "llb.B", "llb.Z"}) {
      out.statistics.meters.high_water[buffer];
    }
    const double picojoules =
        static_cast<double>(bytes.count()) * 8 * machine_.energy.dram_picojoules_per_bit;
    out.energy.components["dram"].picojoules = picojoules;
    out.energy.total_picojoules = picojoules;
    find_limiter(out.statistics);
    return run;
  }

  void overlap(const std::vector<StepBlock>& /*blocks*/, std::uint64_t /*executed*/,
               RunResult& /*total*/) const override {}
  void finish(RunResult& total) const override {
    check_sum_limits(machine_, total);
    total.provenance.warnings.emplace_back(
        "every tensor comes from DRAM and returns there; operands are stored as this machine "
        "stores them, whatever their precision");
  }

 private:
  const RunResult& product(const std::string& name,
                           const std::shared_ptr<const GemmOperands>& operands,
                           std::uint64_t seed) {
    const auto [known, is_new] = known_.try_emplace(operands);
    if (is_new) {
      ProductWorkload workload;
      workload.name = name;
      workload.a = explicit_rows(operands->a());
      workload.b_transposed = explicit_rows(operands->b_transposed());
      workload.seed = seed;
      known->second = run_product(machine_, workload, options_);
    }
    return known->second;
  }

  const MachineSpec& machine_;
  ProductOptions options_;
  FabricSpec words_;
  std::map<std::shared_ptr<const GemmOperands>, RunResult> known_;
};

}  // namespace

std::unique_ptr<IOperations> make_operations(const MachineSpec& machine,
                                             const ProductOptions& options) {
  return std::make_unique<ProductOperations>(machine, options);
}

}  // namespace lacuna
