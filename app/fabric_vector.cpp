// SPDX-License-Identifier: Apache-2.0
#include "app/fabric_vector.hpp"

#include <algorithm>
#include <cmath>

#include "app/fabric_result.hpp"
#include "app/run_limits.hpp"
#include "arch/fabric/fabric_module.hpp"
#include "base/error.hpp"

namespace lacuna {
namespace {

constexpr double kMostPieces = 5e7;

/// Equal pieces, each no more than a sixteenth of the buffer, so that reading and writing overlap.
FabricProgram stream_program(const FabricSpec& spec, const VectorTraffic& traffic, double cycles) {
  const auto through_port = whole(traffic.buffer_read + traffic.buffer_write);
  const auto read = whole(traffic.dram_read), written = whole(traffic.dram_write);
  const double most = std::max(traffic.dram_read, traffic.dram_write);
  const double wanted = std::ceil(16 * most / static_cast<double>(spec.glb.capacity.count()));
  if (wanted > kMostPieces) {
    throw InputError(fmt::format("{:.0f} bytes pass the {} bytes of {}'s global buffer in {:.3g} "
                                 "pieces, at most {:.0e} are taken",
                                 most, spec.glb.capacity.count(), spec.name, wanted, kMostPieces),
                     "give the buffer more room (glb.capacity)");
  }
  const auto pieces = static_cast<std::uint64_t>(std::max(8.0, wanted));
  FabricProgram program;
  program.a_bytes = read;
  program.a_capacity = spec.glb_bytes() / 2;
  program.b_capacity = 1;
  program.z_backlog = 2 * ceil_div(written, pieces);
  program.next = [=, at = std::uint64_t{0}](FabricStep& step) mutable {
    if (at == pieces) return false;
    step = {};
    step.a_needed = read * (at + 1) / pieces;
    step.a_release = step.a_needed - read * at / pieces;
    step.z_bytes = written * (at + 1) / pieces - written * at / pieces;
    step.cycles = cycles / static_cast<double>(pieces);
    step.glb_bytes = through_port * (at + 1) / pieces - through_port * at / pieces;
    ++at;
    return true;
  };
  return program;
}

}  // namespace

RunResult run_vector(const FabricSpec& machine, const VectorTraffic& traffic,
                     const FabricOptions& options) {
  RunResult result;
  result.name = machine.name;
  result.clock = machine.clock;
  result.format = {machine.precision, machine.word_bits};
  const double word = machine.word_bytes();
  FabricCounts counts;
  counts.dram_a.data = std::round(traffic.dram_read) / word;
  counts.dram_z.data = std::round(traffic.dram_write) / word;
  counts.glb_a.data = traffic.buffer_read / word;
  // What comes from DRAM is written into the buffer already.
  counts.z_glb_writes = std::max(0.0, traffic.buffer_write - traffic.dram_read) / word;
  counts.glb_cycles =
      (traffic.buffer_read + traffic.buffer_write) / (machine.glb.words_per_cycle * word);
  counts.dram_read_cycles = counts.dram_a.data / machine.dram.read_words;
  counts.dram_write_cycles = counts.dram_z.data / machine.dram.write_words;
  ComponentSet own;
  if (options.components == nullptr) own = priced_fabric(machine);
  FabricRunOptions run;
  run.stalls = options.stalls;
  const FabricTiming timing =
      run_fabric_program(machine, stream_program(machine, traffic, counts.glb_cycles), run);
  const ComponentSet& components = options.components != nullptr ? *options.components : own;
  fill_fabric_result(machine, components, counts, timing, result);
  check_run_limits(machine, components, {}, result);
  return result;
}

}  // namespace lacuna
