// SPDX-License-Identifier: Apache-2.0
#include "run/step/overlap.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/whole.hpp"
#include "run/energy_report.hpp"
#include "run/fabric/result.hpp"

namespace lacuna {
namespace {

/// Cycles that all that passes a port takes at its rate; 0 for a port without one.
Cycles at_rate(const Meters& meters, const char* port, double words, double word_bytes) {
  const auto use = meters.ports.find(port);
  if (use == meters.ports.end() || words <= 0) return Cycles(0);
  return cycles_up(static_cast<double>(use->second.total) / (words * word_bytes));
}

/// Fills, drains and outputs of several operations share a port at once, so that what bounds the
/// step is what passes each port in all, not the sum of what bounds each operation.
void bound_ports(const FabricSpec& machine, MachineStatistics& s) {
  const double word = machine.word_bytes();
  const FabricSpec::Dram& dram = machine.dram;
  s.bounds["dram"] = std::max(at_rate(s.meters, "dram_read", dram.read_words, word),
                              at_rate(s.meters, "dram_write", dram.write_words, word));
  if (dram.shared) s.bounds["dram"] = at_rate(s.meters, "dram", dram.read_words, word);
  s.bounds["glb"] =
      std::max(at_rate(s.meters, "glb", machine.glb.words_per_cycle, word),
               at_rate(s.meters, "glb_write", machine.glb.write_words_per_cycle, word));
}

/// Operations use the arrays one after another, but follow each other within a cycle: each of
/// `executed` bounds was rounded up.
void bound_arrays(std::uint64_t executed, MachineStatistics& s) {
  for (const char* block : {"compute", "psum"}) {
    const std::uint64_t sum = s.bounds.at(block).count();
    s.bounds[block] = Cycles(sum - std::min(sum, executed));
  }
}

void bound(const FabricSpec& machine, std::uint64_t executed, MachineStatistics& s) {
  bound_ports(machine, s);
  bound_arrays(executed, s);
  bound_cycles({}, s);
}

/// Windows and moments are those of the simulated step; a port's total is the operations'. What
/// else was counted is of the repetitions that were simulated, and said where these are all.
void meter(const Meters& step, bool whole, Meters& total) {
  for (const auto& [name, of_step] : step.ports) {
    const auto known = total.ports.find(name);
    const std::uint64_t all = known == total.ports.end() ? of_step.total : known->second.total;
    PortUse& use = total.ports[name];
    use = of_step;
    use.total = all;
    if (!whole) use.waited.reset();
  }
  total.high_water = step.high_water;
  total.banks.reset();
  if (whole) total.banks = step.banks;
}

}  // namespace

void overlap_operations(const FabricSpec& machine, const std::vector<StepBlock>& blocks,
                        const FabricOptions& options, std::uint64_t executed, RunResult& total) {
  ArrayRunOptions of_step;
  of_step.mode = options.mode;
  of_step.stepped = options.fidelity == Fidelity::element;
  of_step.stalls = options.stalls;
  const StepTime step = time_of_step(machine, blocks, of_step);
  MachineStatistics& s = total.statistics;
  s.cycles = step.cycles;
  s.activations += step.run.activations;
  s.stalls = {};
  double busy = 0;
  auto report = total.operations.begin();
  for (const auto& parts : step.parts) {
    for (const OperationTime& part : parts) {
      report->in_step = part.cycles;
      report->cycles = Cycles(part.cycles.count() / report->times);
      // Of one execution; it was counted before there was a time.
      report->picojoules += static_picojoules(
          total.energy, static_cast<double>(part.cycles.count()) /
                            static_cast<double>(report->times) / machine.clock.count());
      ++report;
      busy += part.busy;
      s.stalls.wait_a += part.wait_a;
      s.stalls.wait_b += part.wait_b;
      s.stalls.wait_output += part.wait_z;
      s.stalls.wait_port += part.wait_port;
      s.stalls.drain += part.idle;
    }
  }
  LACUNA_CHECK(report == total.operations.end(), "a step of fewer operations than are reported");
  s.stalls.busy = whole(busy);
  const bool whole = std::all_of(blocks.begin(), blocks.end(), [](const StepBlock& block) {
    return block.times <= kSimulatedRepetitions;
  });
  meter(step.run.meters, whole, s.meters);
  bound(machine, executed, s);
}

}  // namespace lacuna
