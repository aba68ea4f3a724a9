// SPDX-License-Identifier: Apache-2.0
#include "run/model/run.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "base/interrupt.hpp"
#include "base/whole.hpp"
#include "run/host_meter.hpp"
#include "run/model/reads.hpp"
#include "run/model/step_memory.hpp"
#include "run/result_sum.hpp"

namespace lacuna {
namespace {

class ModelRunner {
 public:
  ModelRunner(IOperations& machine, const ModelWorkload& workload)
      : machine_(machine),
        workload_(workload),
        placed_(place_operations(workload.graph, machine.room_on_chip(), machine.query_blocks())),
        reads_(reads_of(workload.graph)),
        total_(machine.nothing()) {}

  RunResult run(bool timeline) {
    const HostMeter meter;
    total_.workload = workload_.name;
    total_.step = step_of(workload_.graph);
    total_.provenance.version = LACUNA_VERSION;
    total_.provenance.fidelity = "tile";
    total_.provenance.seed = workload_.sparsity.seed;
    total_.provenance.inputs = workload_.inputs;
    total_.provenance.warnings = workload_.notes;
    if (machine_.has_limit()) check_sizes();
    for (OperationId v = 0; v < placed_.size(); ++v) {
      stop_if_requested();
      if (!run_operation(v)) return std::move(total_);
    }
    machine_.overlap(blocks_, executed_, total_);
    finish();
    if (timeline) total_.timeline = operations_timeline(total_.operations);
    meter.read(total_);
    return std::move(total_);
  }

 private:
  OperationProducts products_of(OperationId v) {
    return machine_.products(workload_.graph[v], workload_.sparsity, placed_[v].einsum,
                             *workload_.pool);
  }

  /// Before any of them takes time or memory.
  void check_sizes() {
    for (OperationId v = 0; v < placed_.size(); ++v) {
      const Operation& op = workload_.graph[v];
      if (!op.einsum) continue;
      for (const FabricInstance& instance : products_of(v).list) machine_.check(op.name, instance);
    }
  }

  /// False when the machine cannot run it.
  bool run_operation(OperationId v) {
    const Operation& op = workload_.graph[v];
    const std::uint64_t times = repeat_of(workload_.graph, v);
    OperationProducts products;
    if (op.einsum) {
      products = products_of(v);
      if (products.list.empty()) return true;  // no expert was chosen
    }
    const OperationRun& simulated = op.einsum ? product(op, products.list) : vector(placed_[v]);
    const RunResult& one = simulated.result;
    if (!one.unsupported.empty()) {
      RunResult none = machine_.nothing();
      none.workload = workload_.name;
      none.provenance = total_.provenance;
      none.unsupported = op.name + ": " + one.unsupported;
      total_ = std::move(none);
      return false;
    }
    add_result(total_, one, times);
    if (op.einsum) resident_.add(op, one.in_memory, times);
    executed_ += times;
    notes_.insert(one.provenance.warnings.begin(), one.provenance.warnings.end());
    report(op, placed_[v], products, one, times);
    add_to_step(v, simulated.program, products.turned);
    return true;
  }

  /// As the graph has them: operations of a block follow each other and are repeated together.
  void add_to_step(OperationId v, std::shared_ptr<const ArrayProgram> program, bool turned) {
    const std::uint32_t block = workload_.graph[v].block;
    if (blocks_.empty() || workload_.graph[in_block_.back()].block != block) {
      blocks_.push_back({{}, repeat_of(workload_.graph, v)});
      in_block_.clear();
    }
    const auto after = [&](const ReadsAfter& reads) -> FetchedAfter {
      if (reads.from_start) return std::nullopt;
      if (!reads.last) return 0;
      const auto later = std::upper_bound(in_block_.begin(), in_block_.end(), *reads.last);
      return static_cast<std::size_t>(later - in_block_.begin());
    };
    const OperationReads& reads = reads_[v];
    const FetchedAfter streamed = after(reads.streamed), stationary = after(reads.stationary);
    blocks_.back().parts.push_back(
        {std::move(program), turned ? streamed : stationary, turned ? stationary : streamed});
    in_block_.push_back(v);
  }

  const OperationRun& product(const Operation& op, const std::vector<FabricInstance>& products) {
    const auto [known, is_new] = known_.try_emplace(key_of(products));
    if (is_new) known->second = machine_.run(op.name, products, workload_.sparsity.seed);
    return known->second;
  }

  const OperationRun& vector(const PlacedOperation& placed) {
    const auto [known, is_new] =
        known_.try_emplace(fmt::format("vector {} {} {} {}", placed.dram_read, placed.dram_write,
                                       placed.buffer_read, placed.buffer_write));
    if (is_new) known->second = machine_.move(placed);
    return known->second;
  }

  void report(const Operation& op, const PlacedOperation& placed, const OperationProducts& products,
              const RunResult& one, std::uint64_t times) {
    OperationReport out = operation_report(op.name, one, times);
    out.role = op.role;
    out.group = label_of(part_of(op.role));
    out.block = info_of(workload_.graph).blocks[op.block].name;
    for (const FabricInstance& instance : products.list) out.products += instance.times;
    if (const auto tiling = one.tiling.find("B"); tiling != one.tiling.end()) {
      out.tile_columns = tiling->second.shape[0];
      out.tiles = tiling->second.tiles;
      out.overbooked_fraction = tiling->second.overbooked_fraction;
    }
    if (op.einsum) {
      add_product(*op.einsum, products.turned, one, out);
    } else {
      add_vector(op, placed, out);
    }
    total_.operations.push_back(std::move(out));
  }

  void add_product(const Einsum& einsum, bool turned, const RunResult& one, OperationReport& out) {
    const auto& dram = one.statistics.traffic.at("dram");
    std::uint64_t moved = 0, written = 0;
    for (const auto& [tensor, bytes] : dram) {
      moved += bytes.read_bytes + bytes.write_bytes;
      written += bytes.write_bytes;
    }
    const std::uint64_t stationary = dram.at(turned ? "B" : "A").read_bytes;
    const OperandKind kind = einsum.operands[2].kind;
    (kind == OperandKind::kWeight  ? out.weight_bytes
     : kind == OperandKind::kCache ? out.cache_bytes
                                   : out.activation_bytes) += stationary;
    out.activation_bytes += moved - stationary;
    activations_written_ += written * out.times;
    for (std::size_t i = 1; i < einsum.operands.size(); ++i) {
      widest_bits_ = std::max(widest_bits_, einsum.operands[i].bits);
    }
    executed_macs_ += one.macs_dense * out.times;
    exact_macs_ += einsum.macs * out.times;
  }

  void add_vector(const Operation& op, const PlacedOperation& placed, OperationReport& out) {
    out.weight_bytes = op.weight_bytes.count();
    out.cache_bytes = (op.cache_read_bytes + op.cache_write_bytes).count();
    cache_written_ += op.cache_write_bytes.count() * out.times;
    const double written = placed.dram_write - static_cast<double>(op.cache_write_bytes.count());
    activations_written_ += whole_near(std::max(0.0, written)) * out.times;
    const auto moved = whole_near(placed.dram_read + placed.dram_write);
    out.activation_bytes = moved - std::min(moved, out.weight_bytes + out.cache_bytes);
  }

  void finish() {
    auto& kinds = total_.statistics.traffic["dram_by_kind"];
    for (const OperationReport& op : total_.operations) {
      kinds["weights"].read_bytes += op.weight_bytes * op.times;
      kinds["cache"].read_bytes += op.cache_bytes * op.times;
      kinds["activations"].read_bytes += op.activation_bytes * op.times;
    }
    const auto split = [](Moved& moved, std::uint64_t written) {
      moved.write_bytes = std::min(written, moved.read_bytes);
      moved.read_bytes -= moved.write_bytes;
    };
    split(kinds["cache"], cache_written_);
    split(kinds["activations"], activations_written_);
    total_.beside["operations_executed"] = executed_;
    total_.beside["operations_simulated"] = known_.size();
    total_.beside["macs_executed"] = executed_macs_;
    total_.beside["macs_exact"] = exact_macs_;
    auto& warnings = total_.provenance.warnings;
    warnings.insert(warnings.end(), notes_.begin(), notes_.end());
    if (total_.format.bits > 0 && widest_bits_ > total_.format.bits) {
      warnings.push_back(
          fmt::format("operands of up to {} bits are stored and moved as such; the {} multipliers "
                      "take them in one cycle and at their energy",
                      widest_bits_, total_.format.name));
    }
    total_.in_memory = resident_.all();
    finish_total(total_);
    machine_.finish(total_);
  }

  IOperations& machine_;
  const ModelWorkload& workload_;
  std::vector<PlacedOperation> placed_;
  std::vector<OperationReads> reads_;  // of each vertex
  std::map<std::string, OperationRun> known_;
  std::vector<StepBlock> blocks_;
  std::vector<OperationId> in_block_;  // of the last of them
  std::set<std::string> notes_;
  StepMemory resident_;
  RunResult total_;
  std::uint64_t executed_ = 0, executed_macs_ = 0, exact_macs_ = 0;
  std::uint64_t cache_written_ = 0, activations_written_ = 0;
  std::uint32_t widest_bits_ = 0;
};

}  // namespace

RunResult run_model(IOperations& machine, const ModelWorkload& workload, bool timeline) {
  return ModelRunner(machine, workload).run(timeline);
}

}  // namespace lacuna
