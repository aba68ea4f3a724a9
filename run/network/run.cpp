// SPDX-License-Identifier: Apache-2.0
#include "run/network/run.hpp"

#include <set>

#include "base/interrupt.hpp"
#include "run/host_meter.hpp"
#include "run/result_sum.hpp"

namespace lacuna {
namespace {

class NetworkRunner {
 public:
  NetworkRunner(IOperations& machine, const NetworkWorkload& workload)
      : machine_(machine), workload_(workload), total_(machine.nothing()) {
    total_.workload = workload.name;
    total_.provenance.version = LACUNA_VERSION;
    total_.provenance.fidelity = "tile";
    total_.provenance.seed = workload.seed;
    total_.provenance.inputs = workload.inputs;
    total_.provenance.warnings = workload.notes;
  }

  RunResult run(bool timeline) {
    const HostMeter meter;
    if (machine_.has_limit()) {
      for (const LayerWorkload& layer : workload_.layers) {
        machine_.check(layer.name, layer.instance);
      }
    }
    for (const LayerWorkload& layer : workload_.layers) {
      stop_if_requested();
      const OperationRun one = machine_.run(layer.name, {instance_of(layer)}, workload_.seed);
      if (!one.result.unsupported.empty()) return unsupported(layer, one.result.unsupported);
      add(layer, one);
    }
    machine_.overlap(blocks_, executed_, total_);
    finish();
    if (timeline) total_.timeline = operations_timeline(total_.operations);
    meter.read(total_);
    return std::move(total_);
  }

 private:
  FabricInstance instance_of(const LayerWorkload& layer) {
    if (!workload_.re_prune) return layer.instance;
    double kept = 1;
    FabricInstance pruned = machine_.prune_again(layer.name, layer.instance, workload_.seed, kept);
    least_kept_ = std::min(least_kept_, kept);
    kept_sum_ += kept;
    return pruned;
  }

  void add(const LayerWorkload& layer, const OperationRun& one) {
    add_result(total_, one.result, layer.times);
    total_.in_memory.add(one.result.in_memory, layer.times);
    OperationReport out = operation_report(layer.name, one.result, layer.times);
    out.group = layer.group;
    out.block = total_.workload;
    out.products = layer.instance.times;
    for (const auto& [tensor, moved] : one.result.statistics.traffic.at("dram")) {
      (tensor == "A" ? out.weight_bytes : out.activation_bytes) +=
          moved.read_bytes + moved.write_bytes;
    }
    total_.operations.push_back(std::move(out));
    const auto& warnings = one.result.provenance.warnings;
    notes_.insert(warnings.begin(), warnings.end());
    executed_ += layer.times;
    // A layer's inputs are the outputs of the one before; its weights are there from the start.
    const FetchedAfter weights = layer.weights ? FetchedAfter{} : FetchedAfter{0};
    blocks_.push_back({{{one.program, weights, FetchedAfter{0}}}, layer.times});
  }

  /// The machine cannot run the network, because of this layer.
  RunResult unsupported(const LayerWorkload& layer, const std::string& why) const {
    RunResult none = machine_.nothing();
    none.workload = total_.workload;
    none.provenance = total_.provenance;
    none.unsupported = layer.name + ": " + why;
    return none;
  }

  void finish() {
    std::uint64_t executed = 0;
    for (const auto& op : total_.operations) executed += op.times * op.products;
    total_.beside["products_executed"] = executed;
    total_.beside["layers_simulated"] = workload_.layers.size();
    add_notes();
    finish_total(total_);
    machine_.finish(total_);
    if (!workload_.re_prune) return;
    total_.provenance.warnings.push_back(fmt::format(
        "re-pruned by drawn magnitudes: {:.1f} % of a layer's nonzeros kept in the "
        "mean, {:.1f} % at least",
        100 * kept_sum_ / static_cast<double>(workload_.layers.size()), 100 * least_kept_));
  }

  /// Layers say the same of themselves: the first few and how many more.
  void add_notes() {
    constexpr std::size_t kMostNotes = 4;
    auto& warnings = total_.provenance.warnings;
    std::size_t left = notes_.size();
    for (const auto& note : notes_) {
      if (notes_.size() - left == kMostNotes && left > 1) {
        warnings.push_back(fmt::format("{} more layers say the like", left));
        break;
      }
      warnings.push_back(note);
      --left;
    }
  }

  IOperations& machine_;
  const NetworkWorkload& workload_;
  RunResult total_;
  std::vector<StepBlock> blocks_;
  std::set<std::string> notes_;
  std::uint64_t executed_ = 0;
  double least_kept_ = 1, kept_sum_ = 0;
};

}  // namespace

RunResult run_network(IOperations& machine, const NetworkWorkload& workload, bool timeline) {
  return NetworkRunner(machine, workload).run(timeline);
}

}  // namespace lacuna
