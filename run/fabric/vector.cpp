// SPDX-License-Identifier: Apache-2.0
#include "run/fabric/vector.hpp"

#include <algorithm>
#include <cmath>

#include "arch/system/array_system.hpp"
#include "base/error.hpp"
#include "run/fabric/result.hpp"
#include "run/limits.hpp"

namespace lacuna {
namespace {

constexpr double kMostPieces = 5e7;

/// Equal pieces, each no more than a sixteenth of the buffer, so that reading and writing overlap.
ArrayProgram stream_program(const FabricSpec& spec, const VectorTraffic& traffic) {
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
  const double word = spec.word_bytes();
  auto moved = std::make_shared<ArrayProduct>();
  moved->a = {{std::round(traffic.dram_read) / word, 0}};
  moved->a_visits = {{read}, {1}};
  moved->z.data = std::round(traffic.dram_write) / word;
  VectorWork work;
  work.port_bytes = traffic.buffer_read + traffic.buffer_write;
  work.read_bytes = traffic.buffer_read;
  // What comes from DRAM is written into the buffer already.
  work.written_bytes = std::max(0.0, traffic.buffer_write - traffic.dram_read);
  work.pieces = pieces;
  ArrayProgram program;
  program.parts.push_back({std::move(moved), 1, work});
  program.a_capacity = spec.glb_bytes() / 2;
  program.b_capacity = 1;
  program.z_backlog = 2 * ceil_div(written, pieces);
  program.next = [=, at = std::uint64_t{0}](ArrayInstruction& instruction) mutable {
    if (at == pieces) return false;
    instruction = {};
    instruction.chunk = at;
    instruction.a.tile = {Tensor::a, 0, read, 0};
    instruction.a.begin = read * at / pieces;
    instruction.a.end = read * (at + 1) / pieces;
    instruction.z_bytes = written * (at + 1) / pieces - written * at / pieces;
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
  ComponentSet own;
  if (options.components == nullptr) own = priced_fabric(machine);
  ArrayRunOptions run_options;
  run_options.stalls = options.stalls;
  const ArrayRun run = run_array_program(machine, stream_program(machine, traffic), run_options);
  const ComponentSet& components = options.components != nullptr ? *options.components : own;
  fill_fabric_result(machine, components, run, result);
  check_run_limits(machine, components, {}, result);
  return result;
}

}  // namespace lacuna
