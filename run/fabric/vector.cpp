// SPDX-License-Identifier: Apache-2.0
#include "run/fabric/vector.hpp"

#include <algorithm>
#include <cmath>

#include "arch/system/array_system.hpp"
#include "base/error.hpp"
#include "run/fabric/result.hpp"
#include "run/limits.hpp"
#include "run/machine_prices.hpp"

namespace lacuna {
namespace {

constexpr double kMostPieces = 5e7;

/// Pieces of which each takes no more than a sixteenth of the buffer, so that reading and writing
/// overlap.
std::uint64_t pieces_of(const FabricSpec& spec, const VectorTraffic& traffic) {
  const double most = std::max(traffic.dram_read, traffic.dram_write);
  const double room = static_cast<double>(spec.glb.capacity.count() * spec.clusters);
  const double wanted = std::ceil(16 * most / room);
  if (wanted > kMostPieces) {
    throw InputError(fmt::format("{:.0f} bytes pass the {} bytes of {}'s global buffer in {:.3g} "
                                 "pieces, at most {:.0e} are taken",
                                 most, spec.glb.capacity.count(), spec.name, wanted, kMostPieces),
                     "give the buffer more room (glb.capacity)");
  }
  return static_cast<std::uint64_t>(std::max(8.0, wanted));
}

/// A cluster's part of bytes that are divided evenly.
std::uint64_t part_of(double bytes, std::uint64_t cluster, std::uint64_t clusters) {
  const std::uint64_t all = whole(bytes);
  return all * (cluster + 1) / clusters - all * cluster / clusters;
}

/// Equal pieces of one cluster's part.
ArrayProgram stream_program(const FabricSpec& spec, const VectorTraffic& traffic,
                            std::uint64_t cluster) {
  const std::uint64_t read = part_of(traffic.dram_read, cluster, spec.clusters);
  const std::uint64_t written = part_of(traffic.dram_write, cluster, spec.clusters);
  const std::uint64_t pieces = pieces_of(spec, traffic);
  const auto share = static_cast<double>(spec.clusters);
  const double word = spec.word_bytes();
  auto moved = std::make_shared<ArrayProduct>();
  moved->a = {{static_cast<double>(read) / word, 0}};
  moved->a_visits = {{read}, {1}};
  moved->z.data = static_cast<double>(written) / word;
  VectorWork work;
  work.port_bytes = (traffic.buffer_read + traffic.buffer_write) / share;
  work.read_bytes = traffic.buffer_read / share;
  // What comes from DRAM is written into the buffer already.
  work.written_bytes = std::max(0.0, traffic.buffer_write - traffic.dram_read) / share;
  work.pieces = pieces;
  ArrayProgram program;
  program.parts.push_back({std::move(moved), 1, work});
  // What it reads and writes has half of the buffer, what follows may have the other.
  const std::uint64_t half = spec.glb_bytes() / 2;
  program.operations.push_back({1, {half, spec.glb_bytes() - half, 2 * ceil_div(written, pieces)}});
  program.walk = [=]() -> ArrayWalk {
    return [=, at = std::uint64_t{0}](ArrayInstruction& instruction) mutable {
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
  };
  return program;
}

ArrayRun run_streams(const FabricSpec& spec, const VectorTraffic& traffic,
                     const ArrayRunOptions& options,
                     std::shared_ptr<const ArrayProgram>* program_out) {
  if (!spec.shared) {
    const auto one = std::make_shared<const ArrayProgram>(stream_program(spec, traffic, 0));
    if (program_out != nullptr) *program_out = one;
    return run_array_program(spec, *one, options);
  }
  SharedProgram program;
  SharedBlock block;
  for (std::uint64_t c = 0; c < spec.clusters; ++c) {
    program.clusters.push_back(stream_program(spec, traffic, c));
    block.of_cluster.push_back(program.clusters.back().parts.front().product);
  }
  program.products.push_back({{std::move(block)}, 1});
  return run_shared_program(spec, program, options);
}

}  // namespace

RunResult run_vector(const FabricSpec& machine, const VectorTraffic& traffic,
                     const FabricOptions& options) {
  RunResult result;
  result.name = machine.name;
  result.clock = machine.clock;
  result.format = {machine.precision, machine.word_bits};
  ComponentSet own;
  if (options.components == nullptr) own = priced_machine(machine);
  ArrayRunOptions run_options;
  run_options.time = options.time;
  run_options.stalls = options.stalls;
  const ArrayRun run = run_streams(machine, traffic, run_options, options.program);
  const ComponentSet& components = options.components != nullptr ? *options.components : own;
  fill_fabric_result(machine, components, run, options.time, result);
  check_run_limits(machine, components, {}, options.time, result);
  return result;
}

}  // namespace lacuna
