// SPDX-License-Identifier: Apache-2.0
#include "run/fabric/result.hpp"

#include <algorithm>
#include <cmath>

#include "arch/system/array_energy.hpp"
#include "base/error.hpp"
#include "base/whole.hpp"
#include "run/energy_report.hpp"

namespace lacuna {
namespace {

void fill_bounds(const FabricSpec& spec, const FabricCounts& counts, MachineStatistics& out) {
  out.bounds["compute"] = cycles_up(counts.compute_cycles);
  out.bounds["glb"] = cycles_up(std::max(counts.glb_cycles, counts.glb_write_cycles));
  out.bounds["psum"] = cycles_up(counts.psum_cycles);
  out.bounds["dram"] = cycles_up(std::max(counts.dram_read_cycles, counts.dram_write_cycles));
  std::vector<std::string> blocks{"compute", "glb", "psum", "dram"};
  if (spec.shared) {
    blocks.insert(blocks.end() - 1, spec.shared->name);
    out.bounds[spec.shared->name] = cycles_up(counts.shared_cycles);
  }
  for (const std::string& block : blocks) {  // a tie goes to the first
    if (!out.cycles_bound_by.empty() && out.bounds[block] <= out.cycles_bound) continue;
    out.cycles_bound_by = block;
    out.cycles_bound = out.bounds[block];
  }
}

/// What the instructions claim, one by one, is what was counted in all; partial sums come on top.
/// Each product rounds to whole numbers, and has an instruction at least.
void check_instructions(const FabricSpec& spec, const ArrayRun& run) {
  const FabricCounts& counts = run.counts;
  const double rounding = 1 + static_cast<double>(run.instructions);
  const auto pairs = static_cast<double>(run.slots);
  LACUNA_CHECK(std::abs(pairs - counts.mac_slots) <= rounding + 1e-9 * counts.mac_slots,
               "instructions have {} operand pairs, {} were counted", pairs, counts.mac_slots);
  const auto bytes = static_cast<double>(run.buffer_bytes);
  const double operands = (counts.glb_a.all() + counts.glb_b.all()) * spec.word_bytes();
  LACUNA_CHECK(bytes >= operands * (1 - 1e-9) - rounding,
               "instructions read {} bytes of the global buffer, the operands have {}", bytes,
               operands);
}

void fill_traffic(const FabricSpec& spec, const ArrayRun& run, MachineStatistics& out) {
  const FabricCounts& counts = run.counts;
  const auto bytes = [&](double words) { return whole(words * spec.word_bytes()); };
  auto& dram = out.traffic["dram"];
  dram["A"] = run.dram_a;
  dram["B"] = run.dram_b;
  dram["Z"] = run.dram_z;
  dram["Z_partial"] = {};
  auto& glb = out.traffic["glb"];
  glb["A"] = {bytes(counts.glb_a.data), bytes(counts.fill_a.data)};
  glb["A_metadata"] = {bytes(counts.glb_a.metadata), bytes(counts.fill_a.metadata)};
  glb["B"] = {bytes(counts.glb_b.data), bytes(counts.fill_b.data)};
  glb["B_metadata"] = {bytes(counts.glb_b.metadata), bytes(counts.fill_b.metadata)};
  glb["Z_partial"] = {bytes(counts.psum_glb_reads), bytes(counts.psum_glb_writes)};
  if (spec.shared) {
    auto& level = out.traffic[spec.shared->name];
    if (spec.shared->a.share > 0) {
      level["A"] = {bytes(counts.shared_a.all()), run.dram_a.read_bytes};
    }
    if (spec.shared->b.share > 0) {
      level["B"] = {bytes(counts.shared_b.all()), run.dram_b.read_bytes};
    }
    if (spec.shared->z.share > 0) level["Z"] = {run.dram_z.write_bytes, run.dram_z.write_bytes};
  }
  out.traffic["rf"]["Z"] = {bytes(counts.rf_reads), bytes(counts.rf_writes)};
  // What DRAM gives is what the streams were told to fetch and what the buffer takes in.
  // Metadata are parts of words: each fetch of a tile begins and ends at a whole byte.
  const auto balanced = [&](const char* name, const Moved& moved, const FabricWords& words,
                            std::uint64_t walks) {
    const double want = words.all() * spec.word_bytes();
    LACUNA_CHECK(std::abs(static_cast<double>(moved.read_bytes) - want) <=
                     1 + 2 * static_cast<double>(walks) + 1e-9 * want,
                 "{}: {} bytes came from DRAM, {} were counted", name, moved.read_bytes, want);
  };
  balanced("A", run.dram_a, counts.dram_a, run.a_walks);
  balanced("B", run.dram_b, counts.dram_b, run.b_walks);
  // Instructions say whole bytes, which end at the nearest to the sum. Half a byte, as indices of
  // odd numbers of outputs make, may end on either side.
  const double z = counts.dram_z.all() * spec.word_bytes();
  LACUNA_CHECK(std::abs(static_cast<double>(run.dram_z.write_bytes) - z) <= 0.5 + 1e-9 * (1 + z),
               "{} bytes of Z written, {} counted", run.dram_z.write_bytes, z);
}

void fill_time(const ArrayRun& run, MachineStatistics& out) {
  out.cycles = run.cycles;
  out.activations = run.activations;
  LACUNA_CHECK(run.cycles >= out.cycles_bound, "{} cycles, the bound is {}", run.cycles.count(),
               out.cycles_bound.count());
  find_limiter(out);
  out.stalls.busy = whole(run.busy);
  out.stalls.wait_a = run.wait_a;
  out.stalls.wait_b = run.wait_b;
  out.stalls.wait_port = run.wait_port;
  out.stalls.wait_output = run.wait_z;
  out.stalls.drain = run.fill + run.drain;
}

void fill_actions(const EnergyAccount& account, MachineStatistics& out) {
  for (const auto& line : account.lines()) {
    out.actions[line.component][line.action] += whole(line.count);
  }
}

/// Words of memory as they moved: each fetch of a tile begins and ends at a whole byte.
FabricCounts as_moved(const FabricSpec& spec, const ArrayRun& run) {
  FabricCounts counts = run.counts;
  for (const auto& [words, bytes] : {std::pair(&counts.dram_a, run.dram_a.read_bytes),
                                     std::pair(&counts.dram_b, run.dram_b.read_bytes),
                                     std::pair(&counts.dram_z, run.dram_z.write_bytes)}) {
    const double counted = words->all() * spec.word_bytes();
    if (counted > 0) *words = *words * (static_cast<double>(bytes) / counted);
  }
  return counts;
}

}  // namespace

std::uint64_t whole(double x) {
  return whole_near(x);
}

Cycles cycles_up(double cycles) {
  return Cycles(whole_up(cycles - 1e-6));
}

void fill_fabric_result(const FabricSpec& spec, const ComponentSet& components, const ArrayRun& run,
                        ArrayTime time, RunResult& result) {
  const FabricCounts& counts = run.counts;
  fill_bounds(spec, counts, result.statistics);
  const double written = spec.dram.shared ? 0 : spec.dram.write_words;
  result.statistics.dram_bytes_per_cycle = (spec.dram.read_words + written) * spec.word_bytes();
  result.statistics.meters = run.meters;
  if (time == ArrayTime::simulated) fill_time(run, result.statistics);
  if (time == ArrayTime::left_out) result.statistics.bound = busiest(result.statistics.bounds);
  check_instructions(spec, run);
  fill_traffic(spec, run, result.statistics);
  const EnergyAccount account = account_fabric(spec, components, as_moved(spec, run));
  fill_actions(account, result.statistics);
  result.energy = report_energy(account);
  charge_static(result);
  result.host.events = run.activations;
}

}  // namespace lacuna
