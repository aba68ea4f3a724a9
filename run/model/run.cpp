// SPDX-License-Identifier: Apache-2.0
#include "run/model/run.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "run/fabric/result.hpp"
#include "run/fabric/vector.hpp"
#include "run/host_meter.hpp"
#include "run/limits.hpp"
#include "run/model/placement.hpp"
#include "run/model/reads.hpp"
#include "run/model/step_memory.hpp"
#include "run/step/overlap.hpp"
#include "sim/timeline.hpp"

namespace lacuna {
namespace {

/// Bytes in which an operation leaves its outputs for the next. Clusters' buffers are their own,
/// and what passes the level that they share is not kept there.
double room_on_chip(const FabricSpec& machine) {
  return machine.shared ? 0 : static_cast<double>(machine.glb.capacity.count());
}

class ModelRunner {
 public:
  ModelRunner(const FabricSpec& machine, const ModelWorkload& workload,
              const FabricOptions& options)
      : machine_(machine), workload_(workload), options_(options) {
    components_ = priced_fabric(machine);
    options_.components = &components_;
    wants_timeline_ = options.timeline;
    options_.timeline = false;  // of the whole, not of each operation
  }

  RunResult run() {
    const HostMeter meter;
    total_.name = machine_.name;
    total_.workload = workload_.name;
    total_.clock = machine_.clock;
    total_.format = {machine_.precision, machine_.word_bits};
    total_.step = step_of(workload_.graph);
    total_.provenance.version = LACUNA_VERSION;
    total_.provenance.fidelity = "tile";
    total_.provenance.seed = workload_.sparsity.seed;
    total_.provenance.inputs = workload_.inputs;
    total_.provenance.warnings = workload_.notes;
    const auto& arrays = machine_.arrays;
    const auto placed =
        place_operations(workload_.graph, room_on_chip(machine_),
                         {arrays.columns, std::max(arrays.columns, arrays.across_m * arrays.rows)});
    reads_ = reads_of(workload_.graph);
    for (OperationId v = 0; v < placed.size(); ++v) {
      stop_if_requested();
      if (!run_operation(v, placed[v])) return std::move(total_);
    }
    if (machine_.overlap) overlap_operations(machine_, blocks_, options_, executed_, total_);
    finish();
    if (wants_timeline_) total_.timeline = operations_timeline(total_.operations);
    meter.read(total_);
    return std::move(total_);
  }

 private:
  /// False when the machine cannot run it.
  bool run_operation(OperationId v, const PlacedOperation& placed) {
    const Operation& op = workload_.graph[v];
    const std::uint64_t times = repeat_of(workload_.graph, v);
    OperationProducts products;
    if (op.einsum) {
      products =
          products_of(op, machine_, workload_.sparsity, placed.einsum, *workload_.pool, true);
      if (products.list.empty()) return true;  // no expert was chosen
    }
    const Simulated& simulated = op.einsum ? product(op, products.list) : vector(placed);
    const RunResult& one = simulated.result;
    if (!one.unsupported.empty()) {
      RunResult none;
      none.name = machine_.name;
      none.workload = workload_.name;
      none.clock = machine_.clock;
      none.provenance = total_.provenance;
      none.unsupported = op.name + ": " + one.unsupported;
      total_ = std::move(none);
      return false;
    }
    add_result(total_, one, times);
    if (op.einsum) resident_.add(op, one.in_memory, times);
    executed_ += times;
    notes_.insert(one.provenance.warnings.begin(), one.provenance.warnings.end());
    report(op, placed, products, one, times);
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

  struct Simulated {
    RunResult result;
    std::shared_ptr<const ArrayProgram> program;
  };

  const Simulated& product(const Operation& op, const std::vector<FabricInstance>& products) {
    const auto [known, is_new] = known_.try_emplace(key_of(products));
    if (is_new) {
      options_.program = &known->second.program;
      FabricWorkload workload;
      workload.name = op.name;
      workload.instances = products;
      workload.seed = workload_.sparsity.seed;
      known->second.result = run_fabric(machine_, workload, options_);
    }
    return known->second;
  }

  const Simulated& vector(const PlacedOperation& placed) {
    const VectorTraffic traffic{placed.dram_read, placed.dram_write, placed.buffer_read,
                                placed.buffer_write};
    const auto [known, is_new] =
        known_.try_emplace(fmt::format("vector {} {} {} {}", traffic.dram_read, traffic.dram_write,
                                       traffic.buffer_read, traffic.buffer_write));
    if (is_new) {
      options_.program = &known->second.program;
      known->second.result = run_vector(machine_, traffic, options_);
    }
    return known->second;
  }

  void report(const Operation& op, const PlacedOperation& placed, const OperationProducts& products,
              const RunResult& one, std::uint64_t times) {
    OperationReport out;
    out.name = op.name;
    out.role = op.role;
    out.group = label_of(part_of(op.role));
    out.block = info_of(workload_.graph).blocks[op.block].name;
    out.times = times;
    for (const FabricInstance& instance : products.list) out.products += instance.times;
    out.cycles = one.statistics.cycles;
    out.cycles_bound = one.statistics.cycles_bound;
    out.in_step = one.statistics.cycles * times;
    out.bound = one.statistics.bound;
    out.macs = one.macs_dense;
    out.picojoules = one.energy.total_picojoules;
    const auto& dram = one.statistics.traffic.at("dram");
    if (const auto tiling = one.tiling.find("B"); tiling != one.tiling.end()) {
      out.tile_columns = tiling->second.shape[0];
      out.tiles = tiling->second.tiles;
      out.overbooked_fraction = tiling->second.overbooked_fraction;
    }
    if (op.einsum) {
      const std::uint64_t stationary = dram.at(products.turned ? "B" : "A").read_bytes;
      switch (op.einsum->operands[2].kind) {
        case OperandKind::kWeight:
          out.weight_bytes = stationary;
          break;
        case OperandKind::kCache:
          out.cache_bytes = stationary;
          break;
        default:
          out.activation_bytes = stationary;
      }
      out.activation_bytes +=
          dram.at(products.turned ? "A" : "B").read_bytes + dram.at("Z").write_bytes;
      activations_written_ += dram.at("Z").write_bytes * times;
      for (const EinsumOperand& operand : op.einsum->operands) {
        if (&operand != op.einsum->operands.data()) {
          widest_bits_ = std::max(widest_bits_, operand.bits);
        }
      }
      executed_macs_ += one.macs_dense * times;
      exact_macs_ += op.einsum->macs * times;
    } else {
      out.weight_bytes = op.weight_bytes.count();
      out.cache_bytes = (op.cache_read_bytes + op.cache_write_bytes).count();
      cache_written_ += op.cache_write_bytes.count() * times;
      const double written = placed.dram_write - static_cast<double>(op.cache_write_bytes.count());
      activations_written_ += whole(std::max(0.0, written)) * times;
      const auto moved = whole(placed.dram_read + placed.dram_write);
      out.activation_bytes = moved - std::min(moved, out.weight_bytes + out.cache_bytes);
    }
    total_.operations.push_back(std::move(out));
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
    if (widest_bits_ > machine_.word_bits) {
      warnings.push_back(
          fmt::format("operands of up to {} bits are stored and moved as such; the {} multipliers "
                      "take them in one cycle and at their energy",
                      widest_bits_, machine_.precision));
    }
    total_.in_memory = resident_.all();
    finish_total(total_);
    check_sum_limits(machine_, total_);
  }

  const FabricSpec& machine_;
  const ModelWorkload& workload_;
  FabricOptions options_;
  ComponentSet components_;
  std::map<std::string, Simulated> known_;
  std::vector<OperationReads> reads_;  // of each vertex
  std::vector<StepBlock> blocks_;
  std::vector<OperationId> in_block_;  // of the last of them
  std::set<std::string> notes_;
  StepMemory resident_;
  RunResult total_;
  bool wants_timeline_ = false;
  std::uint64_t executed_ = 0, executed_macs_ = 0, exact_macs_ = 0;
  std::uint64_t cache_written_ = 0, activations_written_ = 0;
  std::uint32_t widest_bits_ = 0;
};

}  // namespace

RunResult run_model(const FabricSpec& machine, const ModelWorkload& workload,
                    const FabricOptions& options) {
  return ModelRunner(machine, workload, options).run();
}

}  // namespace lacuna
