// SPDX-License-Identifier: Apache-2.0
#include "run/rowwise/run.hpp"

#include "arch/machine/machine_energy.hpp"
#include "arch/system/rowwise_energy.hpp"
#include "arch/system/rowwise_system.hpp"
#include "base/error.hpp"
#include "dataflows/row_merges.hpp"
#include "dataflows/tile_sums.hpp"
#include "run/energy_report.hpp"
#include "run/host_meter.hpp"
#include "run/limits.hpp"
#include "run/machine_prices.hpp"
#include "run/result_sum.hpp"
#include "sparse_formats/product_check.hpp"

namespace lacuna {
namespace {

std::unique_ptr<RowwiseProgram> make_program(const RowwiseSpec& machine, const CsrMatrix& leader,
                                             const CsrMatrix& follower,
                                             const OutputSamples* samples) {
  if (machine.merges()) return std::make_unique<RowMerges>(leader, follower, machine, samples);
  return std::make_unique<TileSums>(leader, follower, machine);
}

/// What the elements and the memories counted against what the program knew.
void check_rowwise(const RowwiseSpec& machine, const RowwiseTotals& totals, std::uint64_t exact,
                   const MachineStatistics& statistics) {
  const auto same = [](const char* what, std::uint64_t counted, std::uint64_t known) {
    LACUNA_CHECK(counted == known, "{} {} counted, the program has {}", counted, what, known);
  };
  same("multiplies", statistics.macs_effectual, exact);
  same("multiplies", statistics.macs_effectual, totals.multiplies);
  same("adds", statistics.adds, totals.adds);
  same("outputs", statistics.z_nonzeros, totals.z_nonzeros);
  same("tasks", statistics.iterations.at("tasks"), totals.tasks);
  const auto& dram = statistics.traffic.at("dram");
  same("bytes of outputs", dram.at("Z").write_bytes, totals.z_bytes);
  same("bytes of the leader", dram.at(machine.leader_is_b ? "B" : "A").read_bytes,
       totals.leader_bytes);
  const Moved partial = dram.at("Z_partial");
  LACUNA_CHECK(partial.read_bytes == partial.write_bytes,
               "{} bytes of partial outputs left, {} returned", partial.write_bytes,
               partial.read_bytes);
  LACUNA_CHECK(statistics.cycles >= statistics.cycles_bound, "{} cycles below the bound of {}",
               statistics.cycles.count(), statistics.cycles_bound.count());
}

std::uint64_t multiplies_of(const CsrMatrix& leader, const CsrMatrix& follower) {
  std::uint64_t sum = 0;
  for (const Coordinate k : leader.columns) sum += follower.offsets[k + 1] - follower.offsets[k];
  return sum;
}

void say_what_is_not_priced(RunResult& result) {
  result.provenance.warnings.emplace_back(
      "no price: finding where a fiber begins beyond the bytes of its pointer");
}

void fill_rowwise_beside(const RowwiseTotals& totals, RunResult& result) {
  result.beside["tasks"] = totals.tasks;
  result.beside["merged_nonzeros"] = totals.merged;
  result.beside["partial_nonzeros"] = totals.partial_nonzeros;
  result.beside["fiber_bytes_used"] = totals.follower_use_bytes;
  result.beside["overflowing_tiles"] = totals.overflowing_tiles;
  result.beside["z_nonzeros"] = totals.z_nonzeros;
  result.beside["partial_output_bytes"] =
      2 * result.statistics.traffic.at("dram").at("Z_partial").read_bytes;
}

RunResult refuse_samples(const RowwiseSpec& machine, const ProductWorkload& workload) {
  RunResult result;
  result.name = machine.name;
  result.workload = workload.name;
  result.clock = machine.clock;
  result.unsupported = samples_refused(
      "its element adds a whole tile of rows and columns up in a buffer; machines that merge rows "
      "and ExTensor's class can leave some out");
  return result;
}

/// What a sampled product has beside; S by what the program knew.
void fill_sampled(const RowwiseTotals& totals, RunResult& result) {
  note_samples_of(result);
  result.beside["dropped_nonzeros"] = totals.dropped;
  const std::uint64_t by_s = result.beside.at("multiplies_by_S");
  LACUNA_CHECK(by_s == totals.scaled, "{} multiplies by S, the program has {}", by_s,
               totals.scaled);
  const std::uint64_t read = result.statistics.traffic.at("dram").at("S").read_bytes;
  LACUNA_CHECK(read == totals.sample_bytes, "{} bytes of S came, the program has {}", read,
               totals.sample_bytes);
  result.provenance.warnings.emplace_back("no price: comparing what is merged with the row of S");
}

}  // namespace

NumberFormat format_of(const RowwiseSpec& machine) {
  return {machine.operands.name, machine.operands.bits};
}

RunResult run_product(const RowwiseSpec& machine, const ProductWorkload& workload,
                      const ProductOptions& options) {
  if (workload.samples && !machine.merges()) return refuse_samples(machine, workload);
  const HostMeter meter;
  const ComponentSet components = priced_machine(machine);
  // Columns of B lead into columns of A: the transpose of the product.
  const CsrMatrix turned = transpose(machine.leader_is_b ? workload.a : workload.b_transposed);
  const CsrMatrix& leader = machine.leader_is_b ? workload.b_transposed : workload.a;
  std::optional<OutputSamples> samples = workload.samples;
  if (samples && machine.leader_is_b) samples->places = transpose(samples->places);
  const OutputSamples* const sampled_by = samples ? &*samples : nullptr;
  const std::unique_ptr<RowwiseProgram> program = make_program(machine, leader, turned, sampled_by);

  RunOptions run;
  run.fidelity = options.fidelity;
  run.carry_values = options.check;
  run.stalls = options.stalls;
  run.interrupted = options.interrupted;
  sim::Timeline timeline;
  if (options.timeline) run.timeline = &timeline;
  RunOutcome outcome = run_rowwise(machine, *program, run);

  RunResult result;
  result.name = machine.name;
  result.workload = workload.name;
  result.clock = machine.clock;
  result.format = format_of(machine);
  result.statistics = std::move(outcome.statistics);
  result.macs_dense = std::uint64_t{workload.a.rows} * workload.a.cols * workload.b_transposed.rows;
  result.macs_skipped = result.macs_dense - result.statistics.macs_effectual;
  result.energy = report_energy(account_energy(components, result.statistics.actions));
  charge_static(result);
  fill_rowwise_beside(program->totals(), result);
  if (sampled_by != nullptr) fill_sampled(program->totals(), result);
  const SampledCounts of_samples = sampled_by != nullptr
                                       ? sampled_counts(leader, transpose(turned), *sampled_by)
                                       : SampledCounts{multiplies_of(leader, turned), 0, 0, 0};
  check_rowwise(machine, program->totals(), of_samples.multiplies, result.statistics);
  const LeastTraffic least = sampled_by != nullptr ? least_traffic(machine, of_samples)
                                                   : least_traffic(machine, leader, turned);
  check_run_limits(machine, components, least, result);
  result.in_memory = in_memory(least);
  if (options.check) {
    CsrMatrix product = *std::move(outcome.product);
    if (machine.leader_is_b) product = transpose(product);
    result.check = check_report(check_product(product, workload.a, transpose(workload.b_transposed),
                                              workload.samples ? &*workload.samples : nullptr));
    if (options.product != nullptr) *options.product = std::move(product);
  }
  result.provenance.seed = workload.seed;
  result.provenance.version = LACUNA_VERSION;
  result.provenance.fidelity = options.fidelity == Fidelity::tile ? "tile" : "element";
  result.provenance.inputs = workload.inputs;
  result.provenance.warnings.insert(result.provenance.warnings.begin(), workload.notes.begin(),
                                    workload.notes.end());
  if (sampled_by != nullptr) {
    result.provenance.warnings.emplace_back(
        "S is stored as Z is, and has half of the leader's room in an element");
  }
  say_what_is_not_priced(result);
  if (options.timeline) add_timeline(timeline, result);
  meter.read(result);
  result.host.events = result.statistics.activations;
  return result;
}

}  // namespace lacuna
