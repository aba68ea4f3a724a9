// SPDX-License-Identifier: Apache-2.0
// A model's step on a machine for sparse products (ExTensor's class): each distinct product once,
// with explicit operands; what is no product moves its bytes through DRAM.
#include <map>
#include <set>

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/whole.hpp"
#include "run/explicit_rows.hpp"
#include "run/host_meter.hpp"
#include "run/limits.hpp"
#include "run/model/placement.hpp"
#include "run/model/run.hpp"
#include "run/model/step_memory.hpp"
#include "sparse_formats/pattern_occupancy.hpp"

namespace lacuna {
namespace {

class ProductRunner {
 public:
  ProductRunner(const MachineSpec& machine, const ModelWorkload& workload,
                const ProductOptions& options)
      : machine_(machine),
        workload_(workload),
        options_(options),
        wants_timeline_(options.timeline) {
    options_.timeline = false;  // of the whole, not of each product
    // Its words are bytes here; only the block of queries is read beside the width.
    words_.word_bits = 8;
    words_.arrays.columns = machine.microtile.n0;
  }

  RunResult run() {
    const HostMeter meter;
    total_.name = machine_.name;
    total_.workload = workload_.name;
    total_.clock = machine_.clock;
    total_.format = format_of(machine_);
    total_.step = step_of(workload_.graph);
    check_sizes();
    const auto count = boost::num_vertices(workload_.graph);
    for (OperationId v = 0; v < count; ++v) {
      stop_if_requested();
      run_operation(workload_.graph[v], repeat_of(workload_.graph, v));
    }
    finish();
    if (wants_timeline_) total_.timeline = operations_timeline(total_.operations);
    meter.read(total_);
    return std::move(total_);
  }

 private:
  std::vector<FabricInstance> products(const Operation& op) {
    return products_of(op, words_, workload_.sparsity, {}, *workload_.pool, false).list;
  }

  /// Before any of them takes time or memory.
  void check_sizes() {
    for (OperationId v = 0; v < boost::num_vertices(workload_.graph); ++v) {
      const Operation& op = workload_.graph[v];
      if (!op.einsum) continue;
      for (const FabricInstance& i : products(op)) {
        const std::uint64_t nonzeros = i.operands->a().count() + i.operands->b_transposed().count();
        if (nonzeros <= kMostExplicitNonzeros) continue;
        throw InputError(
            fmt::format("{}: {} x {} x {} has {} nonzeros, {} takes its operands explicitly and "
                        "at most {}",
                        op.name, i.operands->m(), i.operands->n(), i.operands->k(), nonzeros,
                        machine_.name, kMostExplicitNonzeros),
            "run it on a machine of the tensor-core class, or a smaller model, or fewer --layers");
      }
    }
  }

  void run_operation(const Operation& op, std::uint64_t times) {
    RunResult one;
    std::uint64_t count = 0;
    if (op.einsum) {
      for (const FabricInstance& instance : products(op)) {
        const RunResult& product_of = product(op, *instance.operands);
        add_result(one, product_of, instance.times);
        one.in_memory.add(product_of.in_memory, instance.times);
        count += instance.times;
      }
    } else {
      move(op, one);
    }
    find_limiter(one.statistics);
    add_result(total_, one, times);
    if (op.einsum) resident_.add(op, one.in_memory, times);
    executed_ += times;
    OperationReport out;
    out.name = op.name;
    out.role = op.role;
    out.group = label_of(part_of(op.role));
    out.block = info_of(workload_.graph).blocks[op.block].name;
    out.times = times;
    out.products = count;
    out.cycles = one.statistics.cycles;
    out.cycles_bound = one.statistics.cycles_bound;
    out.in_step = one.statistics.cycles * times;
    out.bound = one.statistics.bound;
    out.macs = one.macs_dense;
    out.picojoules = one.energy.total_picojoules;
    if (op.einsum) {
      const auto& dram = one.statistics.traffic["dram"];
      std::uint64_t moved = 0;
      for (const auto& [tensor, bytes] : dram) moved += bytes.read_bytes + bytes.write_bytes;
      const auto found = dram.find("A");
      const std::uint64_t a = found == dram.end() ? 0 : found->second.read_bytes;
      const OperandKind kind = op.einsum->operands[2].kind;
      (kind == OperandKind::kWeight  ? out.weight_bytes
       : kind == OperandKind::kCache ? out.cache_bytes
                                     : out.activation_bytes) += a;
      out.activation_bytes += moved - a;
    } else {
      out.weight_bytes = op.weight_bytes.count();
      out.cache_bytes = (op.cache_read_bytes + op.cache_write_bytes).count();
      out.activation_bytes = (op.activation_read_bytes + op.activation_write_bytes).count();
    }
    total_.operations.push_back(std::move(out));
  }

  const RunResult& product(const Operation& op, const GemmOperands& operands) {
    const auto [known, is_new] = known_.try_emplace(&operands);
    if (is_new) {
      ProductWorkload workload;
      workload.name = op.name;
      workload.a = explicit_rows(operands.a());
      workload.b_transposed = explicit_rows(operands.b_transposed());
      workload.seed = workload_.sparsity.seed;
      known->second = run_product(machine_, workload, options_);
      const auto& warnings = known->second.provenance.warnings;
      notes_.insert(warnings.begin(), warnings.end());
    }
    return known->second;
  }

  /// Bytes over the bandwidth, after one latency; energy of DRAM alone.
  void move(const Operation& op, RunResult& out) const {
    const Bytes bytes = op.weight_bytes + op.cache_read_bytes + op.cache_write_bytes +
                        op.activation_read_bytes + op.activation_write_bytes;
    const double cycles = static_cast<double>(bytes.count()) / machine_.dram.bytes_per_cycle;
    out.statistics.cycles_bound = Cycles(whole_down(cycles));
    out.statistics.cycles =
        out.statistics.cycles_bound + machine_.dram.latency + Cycles(bytes.count() > 0 ? 1 : 0);
    out.statistics.bounds["dram"] = out.statistics.cycles_bound;
    out.statistics.cycles_bound_by = "dram";
    Moved& moved = out.statistics.traffic["dram"]["vector"];
    moved.read_bytes = (op.weight_bytes + op.cache_read_bytes + op.activation_read_bytes).count();
    moved.write_bytes = (op.cache_write_bytes + op.activation_write_bytes).count();
    out.statistics.meters.ports = {
        {"dram", {bytes.count(), 1, 0, 0, {}}}, {"llb", {}}, {"llb_fill", {}}};
    const double picojoules =
        static_cast<double>(bytes.count()) * 8 * machine_.energy.dram_picojoules_per_bit;
    out.energy.components["dram"].picojoules = picojoules;
    out.energy.total_picojoules = picojoules;
  }

  void finish() {
    total_.beside["operations_executed"] = executed_;
    total_.beside["products_simulated"] = known_.size();
    total_.provenance.version = LACUNA_VERSION;
    total_.provenance.fidelity = "tile";
    total_.provenance.seed = workload_.sparsity.seed;
    total_.provenance.inputs = workload_.inputs;
    // A step without a product filled no buffer.
    for (const char* buffer : {"llb", "llb.A", "llb.B", "llb.Z"}) {
      total_.statistics.meters.high_water[buffer];
    }
    check_sum_limits(machine_, total_);
    auto& warnings = total_.provenance.warnings;
    warnings = workload_.notes;
    warnings.insert(warnings.end(), notes_.begin(), notes_.end());
    warnings.emplace_back(
        "every tensor comes from DRAM and returns there; operands are stored as this machine "
        "stores them, whatever their precision");
    total_.in_memory = resident_.all();
    finish_total(total_);
  }

  const MachineSpec& machine_;
  const ModelWorkload& workload_;
  ProductOptions options_;
  FabricSpec words_;
  std::map<const GemmOperands*, RunResult> known_;
  std::set<std::string> notes_;  // of products
  StepMemory resident_;
  RunResult total_;
  bool wants_timeline_ = false;
  std::uint64_t executed_ = 0;
};

}  // namespace

RunResult run_model(const MachineSpec& machine, const ModelWorkload& workload,
                    const ProductOptions& options) {
  return ProductRunner(machine, workload, options).run();
}

}  // namespace lacuna
