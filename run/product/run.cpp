// SPDX-License-Identifier: Apache-2.0
#include "run/product/run.hpp"

#include <cmath>

#include "arch/machine/machine_energy.hpp"
#include "arch/program/stored_bytes.hpp"
#include "base/error.hpp"
#include "dataflows/microtile_tiling.hpp"
#include "run/energy_report.hpp"
#include "run/host_meter.hpp"
#include "run/limits.hpp"
#include "run/machine_prices.hpp"
#include "run/result_sum.hpp"
#include "sparse_formats/product_check.hpp"

namespace lacuna {
namespace {

/// Counted from the operands alone: sum over k of column count times row count.
std::uint64_t exact_multiplies(const CsrMatrix& a, const CsrMatrix& b_transposed) {
  std::vector<std::uint64_t> columns(a.cols, 0);
  for (const Coordinate k : a.columns) ++columns[k];
  std::uint64_t sum = 0;
  for (const Coordinate k : b_transposed.columns) sum += columns[k];
  return sum;
}

TilingReport report_tiling(const TiledOperand& operand, const TileChoice& choice,
                           std::vector<std::string> ranks) {
  const TilingStatistics statistics =
      summarize(tile_occupancies(operand, choice.shape), operand.share_bytes);
  TilingReport report;
  report.strategy = to_text(choice.strategy);
  report.ranks = std::move(ranks);
  report.shape = {choice.shape.outer * operand.grid->shape().outer,
                  choice.shape.inner * operand.grid->shape().inner};
  report.tiles = statistics.tiles;
  report.overbooked_fraction = statistics.overbooked_share;
  report.buffer_utilization = statistics.utilization;
  report.clamped = choice.clamped;
  report.share_bytes = operand.share_bytes;
  report.work_nonzeros = choice.work_nonzeros;
  report.occupancy = statistics.quantiles;
  return report;
}

/// What B costs when it is counted by the fibers that the machine reads, beside a published count.
std::uint64_t b_by_column_fibers(const ProductOperands& operands, const MachineSpec& machine) {
  OperandFormat format = machine.formats.b;
  format.fibers = OperandFormat::Fibers::over_k;
  std::uint64_t bytes = 0;
  for (const Microtile& tile : operands.b_grid.all()) {
    bytes += stored_bytes(tile, format, machine.dram.burst);
  }
  return bytes;
}

void check_invariants(const MachineSpec& machine, const ProductOperands& operands,
                      const ProgramTotals& totals, const RunResult& result) {
  const MachineStatistics& statistics = result.statistics;
  const OutputSamples* const samples = operands.samples;
  const SampledCounts of_samples =
      samples == nullptr ? SampledCounts{}
                         : sampled_counts(operands.a, operands.b_transposed, *samples);
  const std::uint64_t exact = samples != nullptr
                                  ? of_samples.multiplies
                                  : exact_multiplies(operands.a, operands.b_transposed);
  LACUNA_CHECK(statistics.macs_effectual == exact, "{} effectual multiplies, the operands have {}",
               statistics.macs_effectual, exact);
  const Traffic& traffic = statistics.traffic;
  const std::uint64_t z = traffic.at("dram").at("Z").write_bytes;
  LACUNA_CHECK(z == totals.z_nonzeros * machine.formats.z_nonzero_bytes,
               "{} bytes of Z for {} nonzeros", z, totals.z_nonzeros);
  if (samples != nullptr) {
    LACUNA_CHECK(statistics.z_nonzeros == of_samples.outputs,
                 "{} outputs, {} places of S have a product", statistics.z_nonzeros,
                 of_samples.outputs);
    const std::uint64_t by_s =
        statistics.actions.at("multiplier").at("compute") - statistics.macs_effectual;
    LACUNA_CHECK(by_s == (samples->ones ? 0 : of_samples.outputs),
                 "{} multiplies by S for {} outputs", by_s, of_samples.outputs);
  }
  const Moved partial = traffic.at("dram").at("Z_partial");
  LACUNA_CHECK(partial.read_bytes == partial.write_bytes,
               "{} bytes of partial outputs left, {} returned", partial.write_bytes,
               partial.read_bytes);
  LACUNA_CHECK(statistics.cycles >= Cycles(0) && statistics.cycles >= statistics.cycles_bound,
               "{} cycles below the bound of {}", statistics.cycles.count(),
               statistics.cycles_bound.count());
}

}  // namespace

std::string samples_refused(const std::string& why) {
  return fmt::format("S samples the outputs (SDDMM), over m and n: {}", why);
}

void note_samples_of(RunResult& result) {
  const MachineStatistics& statistics = result.statistics;
  result.beside["multiplies_by_S"] =
      statistics.actions.at("multiplier").at("compute") - statistics.macs_effectual;
}

NumberFormat format_of(const MachineSpec& machine) {
  const Precision precision = Precision::parse(machine.precision);
  return {precision.name, precision.bits};
}

CheckReport check_report(ProductCheck check) {
  return {true, check.passed, check.max_relative_error, "Eigen", std::move(check.problem)};
}

RunResult run_product(const MachineSpec& machine, const ProductWorkload& workload,
                      const ProductOptions& options) {
  const HostMeter meter;
  const ComponentSet components = priced_machine(machine);
  MachineSpec spec = machine;
  if (workload.tiles.m1 != 0) spec.tiling.fixed = workload.tiles;
  if (workload.tiles.m1 != 0) spec.tiling.by_workload.clear();
  spec.microtile = choose_microtile(workload.a, workload.b_transposed, spec).shape;
  const OutputSamples* const samples = workload.samples ? &*workload.samples : nullptr;
  const ProductOperands operands(workload.a, workload.b_transposed, spec.microtile, samples);
  const ProductTiling tiling = tile_product(operands, spec, workload.name);
  ExtensorProgram program(operands, spec, tiling.tiles);

  RunOptions run;
  run.fidelity = options.fidelity;
  run.carry_values = options.check;
  run.stalls = options.stalls;
  run.interrupted = options.interrupted;
  sim::Timeline timeline;
  if (options.timeline) run.timeline = &timeline;
  RunOutcome outcome = run_machine(spec, program, run);

  RunResult result;
  result.name = machine.name;
  result.workload = workload.name;
  result.clock = machine.clock;
  result.format = format_of(machine);
  result.statistics = std::move(outcome.statistics);
  result.macs_dense = std::uint64_t{operands.a.rows} * operands.a.cols * operands.b_transposed.rows;
  result.macs_skipped = result.macs_dense - result.statistics.macs_effectual;
  result.energy = report_energy(account_energy(components, result.statistics.actions));
  charge_static(result);
  result.tiling["A"] = report_tiling(operand_a(operands, spec, tiling.tiles.k1),
                                     {.strategy = tiling.a.strategy,
                                      .shape = {tiling.tiles.m1, tiling.tiles.k1},
                                      .clamped = tiling.a.clamped,
                                      .work_nonzeros = tiling.a.work_nonzeros},
                                     {"M", "K"});
  result.tiling["B"] = report_tiling(operand_b(operands, spec),
                                     {.strategy = tiling.b.strategy,
                                      .shape = {tiling.tiles.n1, tiling.tiles.k1},
                                      .clamped = tiling.b.clamped,
                                      .work_nonzeros = tiling.b.work_nonzeros},
                                     {"N", "K"});
  result.statistics.b_bytes_as_read = b_by_column_fibers(operands, spec);
  if (spec.formats.b.fibers == OperandFormat::Fibers::across_k) {
    result.beside["dram_B_read_bytes_by_column_fibers"] = result.statistics.b_bytes_as_read;
  }
  result.beside["k0_tries"] = result.statistics.actions.at("intersect_k0").at("try");
  result.beside["k1_tries"] = result.statistics.actions.at("intersect_k1").at("try");
  result.beside["k2_tries"] = result.statistics.actions.at("intersect_k2").at("try");
  result.beside["microtile_edge_k0"] = spec.microtile.k0;
  result.beside["z_nonzeros"] = result.statistics.z_nonzeros;
  result.beside["partial_output_bytes"] =
      2 * result.statistics.traffic.at("dram").at("Z_partial").read_bytes;
  if (samples != nullptr) note_samples_of(result);
  check_invariants(spec, operands, program.totals(), result);
  const LeastTraffic least = least_traffic(spec, operands);
  check_run_limits(spec, components, least, result);
  result.in_memory = in_memory(least);
  if (options.check) {
    result.check = check_report(
        check_product(*outcome.product, operands.a, transpose(operands.b_transposed), samples));
    if (options.product != nullptr) *options.product = *std::move(outcome.product);
  }
  result.provenance.seed = spec.tiling.seed;
  result.provenance.version = LACUNA_VERSION;
  result.provenance.fidelity = options.fidelity == Fidelity::tile ? "tile" : "element";
  result.provenance.inputs = workload.inputs;
  result.provenance.warnings = workload.notes;
  if (samples != nullptr) {
    result.provenance.warnings.emplace_back(
        "S is stored as A is, with N in the place of K, and has half of the last-level buffer's "
        "share of Z");
  }
  if (result.format.bits != 64) {
    result.provenance.warnings.emplace_back(
        "values lie in words of 64 bits in the elements' buffers, whatever their precision");
  }
  result.provenance.warnings.insert(result.provenance.warnings.end(), tiling.notes.begin(),
                                    tiling.notes.end());
  if (options.timeline) add_timeline(timeline, result);
  meter.read(result);
  result.host.events = result.statistics.activations;
  return result;
}

}  // namespace lacuna
