// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <set>

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/random.hpp"
#include "run/explicit_rows.hpp"
#include "run/fabric/result.hpp"
#include "run/host_meter.hpp"
#include "run/limits.hpp"
#include "run/model/run.hpp"
#include "run/network/workload.hpp"
#include "run/step/overlap.hpp"
#include "sim/simulation.hpp"
#include "workloads/prune.hpp"

namespace lacuna {
namespace {

/// A total with a row for each layer.
class LayerSum {
 public:
  LayerSum(const std::string& machine, Hertz clock, const NumberFormat& format,
           const NetworkWorkload& workload) {
    total_.name = machine;
    total_.clock = clock;
    total_.format = format;
    total_.workload = workload.name;
    total_.provenance.version = LACUNA_VERSION;
    total_.provenance.fidelity = "tile";
    total_.provenance.seed = workload.seed;
    total_.provenance.inputs = workload.inputs;
    total_.provenance.warnings = workload.notes;
  }

  void add(const LayerWorkload& layer, const RunResult& one) {
    add_result(total_, one, layer.times);
    total_.in_memory.add(one.in_memory, layer.times);
    OperationReport out;
    out.name = layer.name;
    out.group = layer.group;
    out.block = total_.workload;
    out.times = layer.times;
    out.products = layer.instance.times;
    out.cycles = one.statistics.cycles;
    out.cycles_bound = one.statistics.cycles_bound;
    out.in_step = one.statistics.cycles * layer.times;
    out.bound = one.statistics.bound;
    out.macs = one.macs_dense;
    out.picojoules = one.energy.total_picojoules;
    for (const auto& [tensor, moved] : one.statistics.traffic.at("dram")) {
      (tensor == "A" ? out.weight_bytes : out.activation_bytes) +=
          moved.read_bytes + moved.write_bytes;
    }
    total_.operations.push_back(std::move(out));
    notes_.insert(one.provenance.warnings.begin(), one.provenance.warnings.end());
  }

  /// The machine cannot run the network, because of this layer.
  RunResult unsupported(const LayerWorkload& layer, const std::string& why) {
    RunResult none;
    none.name = total_.name;
    none.workload = total_.workload;
    none.clock = total_.clock;
    none.format = total_.format;
    none.provenance = total_.provenance;
    none.unsupported = layer.name + ": " + why;
    return none;
  }

  /// Lets the layers follow each other in one simulation.
  void overlap(const FabricSpec& machine, const std::vector<StepBlock>& blocks,
               const FabricOptions& options) {
    std::uint64_t executed = 0;
    for (const auto& op : total_.operations) executed += op.times;
    overlap_operations(machine, blocks, options, executed, total_);
  }

  RunResult finish(std::uint64_t simulated) {
    std::uint64_t executed = 0;
    for (const auto& op : total_.operations) executed += op.times * op.products;
    total_.beside["products_executed"] = executed;
    total_.beside["layers_simulated"] = simulated;
    auto& warnings = total_.provenance.warnings;
    // Layers say the same of themselves: the first few and how many more.
    std::size_t left = notes_.size();
    for (const auto& note : notes_) {
      if (notes_.size() - left == kMostNotes && left > 1) {
        warnings.push_back(fmt::format("{} more layers say the like", left));
        break;
      }
      warnings.push_back(note);
      --left;
    }
    finish_total(total_);
    meter_.read(total_);
    return std::move(total_);
  }

 private:
  static constexpr std::size_t kMostNotes = 4;
  HostMeter meter_;
  RunResult total_;
  std::set<std::string> notes_;
};

/// The sparsest pattern of the menu that is at least as dense as A.
const Pattern& pattern_for(const FabricSpec& machine, double density) {
  for (const FabricPattern& entry : machine.a.patterns) {
    if (entry.pattern.density().value() >= density) return entry.pattern;
  }
  return machine.a.patterns.back().pattern;
}

}  // namespace

FabricInstance re_pruned(const FabricSpec& machine, const LayerWorkload& layer, std::uint64_t seed,
                         double& kept) {
  const GemmOperands& operands = *layer.instance.operands;
  const Pattern& pattern = pattern_for(machine, operands.a_density());
  FabricInstance instance = layer.instance;
  if (pattern.kind == PatternKind::dense) return instance;
  const BitMatrix& bits = operands.a().sample();
  std::vector<double> magnitudes(bits.rows() * bits.cols(), 0.0);
  RandomStream random(seed, "magnitudes " + layer.name);
  for (std::uint64_t r = 0; r < bits.rows(); ++r) {
    for (std::uint64_t c = 0; c < bits.cols(); ++c) {
      if (bits.get(r, c)) magnitudes[r * bits.cols() + c] = random.normal();
    }
  }
  const PruneResult pruned = prune(magnitudes, {bits.rows(), bits.cols()}, pattern);
  BitMatrix a(bits.rows(), bits.cols());
  for (std::uint64_t r = 0; r < bits.rows(); ++r) {
    const auto mask = pruned.mask.row(r), had = bits.row(r);
    const auto out = a.row(r);
    for (std::size_t w = 0; w < out.size(); ++w) out[w] = mask[w] & had[w];
  }
  kept = static_cast<double>(a.count()) /
         static_cast<double>(std::max<std::uint64_t>(1, bits.count()));
  instance.operands = std::make_shared<const GemmOperands>(std::move(a), operands.b_transposed());
  return instance;
}

RunResult run_network(const FabricSpec& machine, const NetworkWorkload& workload,
                      const FabricOptions& options) {
  LayerSum sum(machine.name, machine.clock, {machine.precision, machine.word_bits}, workload);
  const ComponentSet components = priced_fabric(machine);
  FabricOptions one = options;
  one.components = &components;
  one.timeline = false;
  double least_kept = 1, kept_sum = 0;
  std::vector<StepBlock> blocks;
  for (const LayerWorkload& layer : workload.layers) {
    stop_if_requested();
    double kept = 1;
    FabricWorkload product;
    product.name = layer.name;
    product.seed = workload.seed;
    product.instances = {workload.re_prune ? re_pruned(machine, layer, workload.seed, kept)
                                           : layer.instance};
    least_kept = std::min(least_kept, kept);
    kept_sum += kept;
    std::shared_ptr<const ArrayProgram> program;
    one.program = &program;
    const RunResult result = run_fabric(machine, product, one);
    if (!result.unsupported.empty()) return sum.unsupported(layer, result.unsupported);
    sum.add(layer, result);
    // A layer's inputs are the outputs of the one before; its weights are there from the start.
    const FetchedAfter weights = layer.weights ? FetchedAfter{} : FetchedAfter{0};
    blocks.push_back({{{program, weights, FetchedAfter{0}}}, layer.times});
  }
  if (machine.overlap) sum.overlap(machine, blocks, options);
  RunResult total = sum.finish(workload.layers.size());
  check_sum_limits(machine, total);
  if (workload.re_prune) {
    total.provenance.warnings.push_back(fmt::format(
        "re-pruned by drawn magnitudes: {:.1f} % of a layer's nonzeros kept in the "
        "mean, {:.1f} % at least",
        100 * kept_sum / static_cast<double>(workload.layers.size()), 100 * least_kept));
  }
  if (options.timeline) total.timeline = operations_timeline(total.operations);
  return total;
}

RunResult run_network(const MachineSpec& machine, const NetworkWorkload& workload,
                      const ProductOptions& options) {
  LayerSum sum(machine.name, machine.clock, format_of(machine), workload);
  if (workload.re_prune) {
    throw InputError(fmt::format("--re-prune: {} has no patterns to prune to", machine.name),
                     "leave it out, or run on machines of the tensor-core class alone");
  }
  for (const LayerWorkload& layer : workload.layers) {
    const GemmOperands& operands = *layer.instance.operands;
    const std::uint64_t nonzeros = operands.a().count() + operands.b_transposed().count();
    if (nonzeros <= kMostExplicitNonzeros) continue;
    throw InputError(fmt::format("{}: {} nonzeros, {} takes its operands explicitly and at most {}",
                                 layer.name, nonzeros, machine.name, kMostExplicitNonzeros),
                     "run it on a machine of the tensor-core class, or with fewer --images");
  }
  ProductOptions one = options;
  one.timeline = false;
  for (const LayerWorkload& layer : workload.layers) {
    stop_if_requested();
    const GemmOperands& operands = *layer.instance.operands;
    ProductWorkload product;
    product.name = layer.name;
    product.a = explicit_rows(operands.a());
    product.b_transposed = explicit_rows(operands.b_transposed());
    product.seed = workload.seed;
    RunResult result, once = run_product(machine, product, one);
    add_result(result, once, layer.instance.times);
    result.in_memory.add(once.in_memory, layer.instance.times);
    result.provenance = once.provenance;
    find_limiter(result.statistics);
    sum.add(layer, result);
  }
  RunResult total = sum.finish(workload.layers.size());
  if (std::any_of(workload.layers.begin(), workload.layers.end(),
                  [](const LayerWorkload& layer) { return layer.instance.b_footprint != 1; })) {
    total.provenance.warnings.emplace_back(
        "windows of convolutions overlap: this machine fetches what they share once for each");
  }
  if (options.timeline) total.timeline = operations_timeline(total.operations);
  check_sum_limits(machine, total);
  return total;
}

}  // namespace lacuna
