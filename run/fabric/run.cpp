// SPDX-License-Identifier: Apache-2.0
#include "run/fabric/run.hpp"

#include <cmath>
#include <numeric>
#include <set>
#include <tuple>

#include "arch/compute/arrays/arrays.hpp"
#include "arch/description/read_spec.hpp"
#include "arch/system/array_system.hpp"
#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/shipped_files.hpp"
#include "run/fabric/result.hpp"
#include "run/host_meter.hpp"
#include "run/limits.hpp"
#include "run/machine_prices.hpp"
#include "run/result_sum.hpp"
#include "sparse_formats/pattern_occupancy.hpp"

namespace lacuna {
namespace {

void fill_macs(const FabricSpec& spec, const FabricPlan& plan, const FabricCounts& counts,
               RunResult& result) {
  MachineStatistics& out = result.statistics;
  for (const FabricPart& part : plan.parts) {
    const GemmOperands& operands = *part.instance.operands;
    const std::uint64_t times = part.instance.times;
    const std::uint64_t places = operands.m() * operands.n();
    out.macs_effectual += operands.effectual() * times;
    result.macs_dense += places * operands.k() * times;
    out.z_nonzeros += (spec.compress_outputs ? operands.z_nonzeros() : places) * times;
  }
  out.adds = out.macs_effectual;
  // Slots with a zero operand take time; whether they cost energy depends on the gating.
  const std::uint64_t slots = std::min(result.macs_dense, whole(counts.mac_slots));
  result.macs_gated = slots - out.macs_effectual;
  result.macs_skipped = result.macs_dense - slots;
  result.beside["macs_ineffectual_at_full_energy"] =
      whole(counts.mac_compute) - std::min(whole(counts.mac_compute), out.macs_effectual);
  result.beside["mac_slots"] = whole(counts.mac_slots);
}

const char* strategy_name(TilingStrategy strategy) {
  return strategy == TilingStrategy::dense_shape ? "mapper" : to_text(strategy);
}

/// A's groups of rows; of the first product when there are several.
TilingReport tiling_of_a(const FabricPlan& plan) {
  const FabricPart& part = plan.parts.front();
  const GemmOperands& operands = *part.instance.operands;
  TilingReport tiling;
  tiling.strategy = "mapper";
  tiling.ranks = {"M", "K"};
  const FabricMapping& mapping = part.mapping;
  const std::uint64_t rows = mapping.a_outer ? mapping.tile_rows : mapping.rows;
  const std::uint64_t edge = mapping.a_whole ? operands.m() : std::min(operands.m(), rows);
  tiling.shape = {edge, operands.k()};
  tiling.tiles = ceil_div(operands.m(), edge);
  tiling.clamped = tiling.tiles == 1;
  tiling.share_bytes = plan.shares.a;
  tiling.buffer_utilization =
      std::min(1.0, static_cast<double>(plan.a_tile_bytes) /
                        static_cast<double>(std::max<std::uint64_t>(1, tiling.share_bytes)));
  return tiling;
}

/// B's resident tiles, of all products.
TilingReport tiling_of_b(const FabricSpec& spec, const FabricPlan& plan) {
  TilingReport tiling;
  tiling.strategy = strategy_name(spec.tiling.strategy);
  tiling.ranks = {"N", "K"};
  tiling.shape = {0, 0};
  std::vector<std::uint64_t> bytes;
  std::uint64_t overbooked = 0;
  double room = 0, work = 0;
  for (const FabricPart& part : plan.parts) {
    const GemmOperands& operands = *part.instance.operands;
    const std::uint64_t edge = std::min(operands.n(), part.mapping.tile_columns);
    tiling.shape = {std::max(tiling.shape[0], edge), std::max(tiling.shape[1], operands.k())};
    const std::uint64_t tiles = ceil_div(operands.n(), edge);
    tiling.tiles += tiles * part.instance.times;
    overbooked += part.schedule->use().overbooked * part.instance.times;
    room = std::max(room, part.mapping.b_room);
    work = std::max(work, part.mapping.tiling_work_bytes);
    const auto& of_part = part.schedule->use().bytes;
    bytes.insert(bytes.end(), of_part.begin(), of_part.end());
  }
  tiling.clamped = tiling.tiles == plan.parts.size();
  // What the tiles leave of their room lies with the other operand.
  tiling.share_bytes = room > 0 ? std::min(whole(room), plan.shares.b) : plan.shares.b;
  tiling.work_nonzeros = whole(work / spec.word_bytes());
  if (!bytes.empty()) {
    const TilingStatistics statistics = summarize(bytes, std::max(1UL, tiling.share_bytes));
    tiling.buffer_utilization = statistics.utilization;
    tiling.occupancy = statistics.quantiles;
  }
  tiling.overbooked_fraction = static_cast<double>(overbooked) /
                               static_cast<double>(std::max<std::uint64_t>(1, tiling.tiles));
  return tiling;
}

/// Of products that are alike B and Z of one, since they may have tokens in common.
InMemory all_in_memory(const FabricSpec& spec, const std::vector<FabricInstance>& instances) {
  InMemory sum;
  for (FabricInstance instance : instances) {
    const std::uint64_t times = std::exchange(instance.times, 1);
    sum.add(in_memory(least_traffic(spec, {instance})), times);
  }
  return sum;
}

/// Lines that the fetch unit read of B.
void note_fetch_unit(const FabricSpec& spec, const FabricCounts& counts, RunResult& result) {
  if (!spec.vfmu) return;
  result.beside["vfmu_lines"] = counts.vfmu_lines;
  result.beside["vfmu_most_words_held"] = counts.vfmu_most_held;
}

/// Blocks of a level that clusters share, and how many tiles of B overflow its room.
void note_blocks(const FabricSpec& spec, const SharedProgram& program, RunResult& result) {
  const FabricSharedLevel& level = *spec.shared;
  const double room = level.b.share * static_cast<double>(level.capacity.count());
  std::uint64_t blocks = 0, tiles = 0, overbooked = 0;
  for (const SharedProduct& product : program.products) {
    std::set<std::uint64_t> seen;
    for (const SharedBlock& block : product.blocks) {
      blocks += product.times;
      if (!seen.insert(block.b_tile).second) continue;
      const auto& bytes = block.of_cluster.front()->b_visits.bytes;
      const double held = std::accumulate(bytes.begin(), bytes.end(), 0.0);
      tiles += product.times;
      overbooked += held > room ? product.times : 0;
    }
  }
  result.beside["shared_blocks"] = blocks;
  if (level.b.share <= 0) return;
  result.beside["shared_tiles_of_b"] = tiles;
  result.beside["shared_tiles_of_b_overbooked"] = overbooked;
}

/// Value by value: counts must equal the fast model's, outputs the reference product.
CheckReport check_elements(const FabricSpec& spec, const FabricPart& part,
                           const FabricCounts& counts, const ProductWorkload& values,
                           std::vector<double>* outputs) {
  std::vector<double> z =
      step_elements(spec, part.product(), values.a, values.b_transposed, counts);
  const CheckReport report =
      check_report(check_product(z, values.a, transpose(values.b_transposed)));
  if (outputs != nullptr) *outputs = std::move(z);
  return report;
}

/// How far the density of a sampled operand may be from that of the whole.
void note_samples(const FabricWorkload& workload, RunResult& result) {
  const auto note = [&](const char* name, double error) {
    double& most = result.provenance.sampling_error[name];
    most = std::max(most, error);
  };
  for (const FabricInstance& instance : workload.instances) {
    note("A", instance.operands->a().density_error());
    note("B", instance.operands->b_transposed().density_error());
  }
  std::erase_if(result.provenance.sampling_error,
                [](const auto& operand) { return operand.second <= 0; });
}

/// Why a product is not stepped through value by value, or nothing: it would take minutes (some
/// 10 s are allowed), or more than 2 GiB.
std::string too_large_to_step(const GemmOperands& operands) {
  constexpr double kMostWork = 4e9, kMostPlaces = 1e8;
  const auto [m, n, k] =
      std::tuple(static_cast<double>(operands.m()), static_cast<double>(operands.n()),
                 static_cast<double>(operands.k()));
  if (m * n * k > kMostWork) {
    return fmt::format("a check steps through {:.3g} multiplies, at most {:g} are taken", m * n * k,
                       kMostWork);
  }
  const double places = m * k + n * k + m * n;
  if (places <= kMostPlaces) return {};
  return fmt::format("a check holds {:.3g} values of A, B and Z, at most {:g} are taken", places,
                     kMostPlaces);
}

/// Outputs that leave compressed are counted, which takes minutes at most.
void check_outputs_countable(const FabricSpec& machine, const FabricWorkload& workload) {
  if (!machine.compress_outputs) return;
  constexpr double kMostWords = 1e11;
  double words = 0;
  for (const FabricInstance& instance : workload.instances) {
    // Every row of A with every column of B; those of a repeated sample once.
    const GemmOperands& ops = *instance.operands;
    words += static_cast<double>(ops.a().sample().rows()) *
             static_cast<double>(ops.b_transposed().sample().rows()) *
             static_cast<double>(ceil_div(ops.k(), std::uint64_t{64}));
  }
  if (words <= kMostWords) return;
  throw InputError(
      fmt::format("{}: {} compresses its outputs, and to count those that are not zero compares "
                  "{:.3g} words of 64 bits, at most {:g} are taken",
                  workload.name, machine.name, words, kMostWords),
      "take a smaller product, or --set units.pack.enabled=false");
}

/// Whether values are stepped through; what cannot be is refused, or said.
bool steps_elements(const FabricSpec& machine, const FabricWorkload& workload,
                    const FabricOptions& options, RunResult& result) {
  const bool asked = options.fidelity == Fidelity::element;
  if (!options.check && !asked) return false;
  LACUNA_CHECK(workload.values != nullptr && workload.instances.size() == 1,
               "a check needs the operands' values");
  std::string why = too_large_to_step(workload.operands());
  const bool clusters = machine.shared && why.empty();
  if (clusters) {
    why = fmt::format("values are not stepped through on clusters, which {} has", machine.name);
  }
  if (why.empty()) return true;
  // Clusters step through their time all the same.
  const bool refuse = clusters ? options.check : asked;
  if (refuse || (options.check && !options.check_where_possible)) {
    throw InputError(why, "check a smaller product, or leave --check and --fidelity element out");
  }
  result.provenance.warnings.push_back("not checked: " + why);
  return false;
}

}  // namespace

RunResult run_fabric(const FabricSpec& machine, const FabricWorkload& workload,
                     const FabricOptions& options) {
  stop_if_requested();
  const HostMeter meter;
  RunResult result;
  result.name = machine.name;
  result.workload = workload.name;
  result.clock = machine.clock;
  result.format = {machine.precision, machine.word_bits};
  result.provenance.seed = workload.seed;
  result.provenance.version = LACUNA_VERSION;
  result.provenance.fidelity = options.fidelity == Fidelity::tile ? "tile" : "element";
  result.provenance.inputs = workload.inputs;
  const bool elements = steps_elements(machine, workload, options, result);
  check_outputs_countable(machine, workload);
  ComponentSet own;
  if (options.components == nullptr) own = priced_machine(machine);
  const ComponentSet& components = options.components != nullptr ? *options.components : own;
  FabricPlan plan = compile_fabric(machine, workload.instances, options.mode);
  auto& warnings = result.provenance.warnings;
  warnings.insert(warnings.begin(), plan.warnings.begin(), plan.warnings.end());
  if (workload.values != nullptr) {
    const auto& notes = workload.values->notes;
    warnings.insert(warnings.begin(), notes.begin(), notes.end());
  }
  if (!plan.unsupported.empty()) {
    result.unsupported = plan.unsupported;
    return result;
  }
  note_samples(workload, result);

  sim::Timeline timeline;
  ArrayRunOptions run_options;
  run_options.mode = options.mode;
  run_options.time = options.time;
  run_options.stepped = options.fidelity == Fidelity::element;
  run_options.stalls = options.stalls;
  if (options.timeline) run_options.timeline = &timeline;
  const ArrayRun run = machine.shared ? run_shared_program(machine, plan.shared, run_options)
                                      : run_array_program(machine, plan.program, run_options);
  fill_fabric_result(machine, components, run, options.time, result);
  fill_macs(machine, plan, run.counts, result);
  result.in_memory = all_in_memory(machine, workload.instances);
  note_fetch_unit(machine, run.counts, result);
  check_run_limits(machine, components, least_traffic(machine, workload.instances), options.time,
                   result);
  result.tiling["A"] = tiling_of_a(plan);
  result.tiling["B"] = tiling_of_b(machine, plan);
  if (plan.parts.size() == 1) {
    result.beside["a_fetches"] = plan.parts[0].mapping.a_fetches;
    result.beside["b_fetches"] = plan.parts[0].mapping.b_fetches;
  }
  if (machine.shared) note_blocks(machine, plan.shared, result);
  result.beside["a_refetched_bytes"] = run.a_again;
  result.beside["b_refetched_bytes"] = run.b_again;
  result.beside["fill_and_drain_allowance"] = cycles_up(run.fill_and_drain).count();
  result.beside["mapper_cycles"] = whole(plan.estimate.cycles);
  if (options.time == ArrayTime::simulated) {
    result.beside["fill_cycles"] = run.fill;
    result.beside["drain_cycles"] = run.drain;
  }
  result.beside["instructions"] = run.instructions;
  if (elements)
    result.check =
        check_elements(machine, plan.parts.front(), run.counts, *workload.values, options.outputs);
  if (options.timeline) add_timeline(timeline, result);
  if (options.program != nullptr) {
    *options.program = std::make_shared<const ArrayProgram>(std::move(plan.program));
  }
  meter.read(result);
  return result;
}

FabricInstance single(GemmOperands operands) {
  FabricInstance instance;
  instance.operands = std::make_shared<const GemmOperands>(std::move(operands));
  return instance;
}

FabricWorkload fabric_workload(const ProductWorkload& workload) {
  return {workload.name,
          {single({BitMatrix::from_csr(workload.a), BitMatrix::from_csr(workload.b_transposed)})},
          workload.inputs,
          workload.seed,
          &workload};
}

FabricWorkload pattern_workload(std::uint64_t m, std::uint64_t n, std::uint64_t k,
                                const std::string& a, const std::string& b, std::uint64_t seed) {
  const Pattern of_a = parse_pattern(a, Place{"", 0, "a"});
  const Pattern of_b = parse_pattern(b, Place{"", 0, "b"});
  return {fmt::format("gemm-{}x{}x{}-a-{}-b-{}", m, n, k, of_a.text(), of_b.text()),
          {single({make_occupancy(of_a, m, k, seed, {Axis::along_row, "A"}),
                   make_occupancy(of_b, n, k, seed, {Axis::along_row, "B"})})},
          {},
          seed,
          nullptr};
}

FabricSpec load_fabric(const std::string& name, const std::vector<std::string>& settings) {
  const ConfigReader reader = machine_reader(load_config("arch", name, settings));
  FabricSpec spec = read_fabric(reader);
  reader.finish();
  return spec;
}

}  // namespace lacuna
