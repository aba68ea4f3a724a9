// SPDX-License-Identifier: Apache-2.0
#include "arch/system/array_system.hpp"

#include <algorithm>
#include <cmath>

#include "arch/compute/arrays/arrays.hpp"
#include "arch/compute/vector/vector_stream.hpp"
#include "arch/limits/physical_limits.hpp"
#include "arch/memory/metered.hpp"
#include "arch/system/arrays_module.hpp"

namespace lacuna {
namespace {

DramSpec channel(const FabricSpec& spec, double words) {
  DramSpec dram;
  dram.bytes_per_cycle = words * spec.word_bytes();
  dram.latency = spec.dram.latency;
  dram.chunk = spec.dram.chunk;
  dram.outstanding = spec.dram.outstanding;
  return dram;
}

std::vector<std::unique_ptr<IUnit>> make_units(const FabricSpec& spec, const ArrayProgram& program,
                                               const ArrayRunOptions& options) {
  std::vector<std::unique_ptr<IUnit>> units;
  for (const ArrayProgram::Part& part : program.parts) {
    if (options.unit_of) {
      units.push_back(options.unit_of(part));
    } else if (part.vector) {
      units.push_back(std::make_unique<VectorStream>(spec, *part.vector, *part.product));
    } else {
      units.push_back(make_arrays(spec, *part.product, options.mode, part.times > 1));
    }
  }
  return units;
}

/// What memory gives of one operand over the whole program.
struct Fetches {
  std::vector<FetchTotals> of_part;
  std::uint64_t bytes = 0, again = 0, walks = 0;
};

Fetches fetches_of(const FabricSpec& spec, const ArrayProgram& program,
                   const TileVisits ArrayProduct::*visits, const Residency& residency) {
  Fetches all;
  for (const ArrayProgram::Part& part : program.parts) {
    const FetchTotals totals = fetch_totals(spec.name, (*part.product).*visits, residency);
    all.of_part.push_back(totals);
    all.bytes += totals.bytes * part.times;
    all.again += totals.again * part.times;
    all.walks += totals.walks * part.times;
  }
  return all;
}

/// Words of one run of a product: as often as its bytes come, and what comes again because tiles
/// overflow.
FabricWords fetched_words(const std::vector<FabricWords>& stored, double footprint,
                          double word_bytes, const FetchTotals& totals) {
  FabricWords all;
  for (const FabricWords& words : stored) all += words;
  const double bytes = all.all() * footprint * word_bytes;
  const double again = bytes > 0 ? static_cast<double>(totals.again) / bytes : 0;
  return all * (footprint * (static_cast<double>(totals.times) + again));
}

FabricCounts counts_of(const FabricSpec& spec, const ArrayProgram& program,
                       const ArraysModule& arrays, const Fetches& a, const Fetches& b) {
  FabricCounts all;
  for (std::size_t i = 0; i < program.parts.size(); ++i) {
    const ArrayProduct& product = *program.parts[i].product;
    FabricCounts counts = arrays.unit(i).counts();
    counts.dram_a = fetched_words(product.a, product.a_footprint, spec.word_bytes(), a.of_part[i]);
    counts.dram_b = fetched_words(product.b, product.b_footprint, spec.word_bytes(), b.of_part[i]);
    counts.dram_read_cycles = (counts.dram_a.all() + counts.dram_b.all()) / spec.dram.read_words;
    counts.dram_write_cycles = counts.dram_z.all() / spec.dram.write_words;
    if (spec.dram.shared) counts.dram_read_cycles += counts.dram_write_cycles;
    if (spec.fills_pass_a_port()) {
      counts.glb_write_cycles = (counts.dram_a.all() + counts.dram_b.all() +
                                 counts.psum_glb_writes + counts.z_glb_writes) /
                                spec.glb.write_words_per_cycle;
    }
    all.add(counts, static_cast<double>(program.parts[i].times));
  }
  return all;
}

double fill_and_drain(const FabricSpec& spec, const ArrayProgram& program) {
  const double word = spec.word_bytes(), latency = static_cast<double>(spec.dram.latency.count());
  double fill = 0, z = 0;
  for (const ArrayProgram::Part& part : program.parts) {
    const ArrayProduct& product = *part.product;
    if (part.vector) continue;
    double group = 0;  // bytes of A's first rows, which the first walk takes as they come
    for (std::uint64_t c = 0; c < product.chunks; ++c) group += product.a[c].all() * word;
    const double bytes = std::max(static_cast<double>(product.a_visits.together), group) +
                         static_cast<double>(product.b_visits.together);
    fill = std::max(fill, latency + bytes / (spec.dram.read_words * word));
    z = std::max(z, product.z_words_of(0, 0) * word);
  }
  return fill + (latency + z / (spec.dram.write_words * word));
}

DramSpec reads(const FabricSpec& spec) {
  return channel(spec, spec.dram.read_words);
}
DramSpec writes(const FabricSpec& spec) {
  return channel(spec, spec.dram.write_words);
}

/// Who is served first of those that ask one memory at once.
enum class StreamRank : unsigned { z, b, a };

MemoryClient client(IMemory& memory, StreamRank rank, const DramSpec& spec) {
  return {memory, static_cast<unsigned>(rank), spec.chunk.count(), spec.outstanding};
}

std::unique_ptr<BufferPort> make_write_port(sim::Simulation& simulation, const FabricSpec& spec) {
  if (!spec.fills_pass_a_port()) return nullptr;
  return std::make_unique<BufferPort>(simulation,
                                      spec.glb.write_words_per_cycle * spec.word_bytes());
}

/// The blocks and their wiring.
struct ArrayBlocks {
  // Reads and writes have a channel each, as in the released designs, or share that of the reads.
  std::unique_ptr<IMemory> dram_read, dram_write;
  sim::BufferMeter glb;
  std::unique_ptr<BufferPort> write_port;  // into the buffer, when it has a rate
  StreamModule a, b;
  DrainModule z;
  ArraysModule arrays;

  ArrayBlocks(sim::Simulation& simulation, const FabricSpec& spec, const ArrayProgram& program,
              const Residency& residency, std::vector<std::unique_ptr<IUnit>> units,
              const MemoryFactory& memory)
      : dram_read(make_memory(memory, "dram_read", simulation, reads(spec))),
        dram_write(spec.dram.shared ? nullptr
                                    : make_memory(memory, "dram_write", simulation, writes(spec))),
        write_port(make_write_port(simulation, spec)),
        a("a_stream", simulation, Tensor::a, program.a_capacity,
          client(*dram_read, StreamRank::a, reads(spec)), &glb, fill(StreamRank::a)),
        b("b_stream", simulation, Tensor::b, program.b_capacity,
          client(*dram_read, StreamRank::b, reads(spec)), &glb, fill(StreamRank::b)),
        z("z_drain", simulation, client(written(), StreamRank::z, writes(spec))),
        arrays("arrays", simulation, program, std::move(units), residency, spec.word_bytes(), a, b,
               z, fill(StreamRank::z)) {}

  /// The unit, which writes outputs, comes before what fills the buffer.
  [[nodiscard]] FillPort fill(StreamRank rank) {
    return {write_port.get(), static_cast<unsigned>(rank)};
  }

  [[nodiscard]] IMemory& written() const { return dram_write ? *dram_write : *dram_read; }

  void meter(Meters& meters) const {
    meters.ports = {{dram_write ? "dram_read" : "dram", dram_read->counts().port},
                    {"glb", use_of(arrays.glb())},
                    {"mac", use_of(arrays.macs())}};
    if (dram_write) meters.ports["dram_write"] = dram_write->counts().port;
    if (write_port) meters.ports["glb_write"] = use_of(*write_port);
    meters.high_water = {{"glb", glb.high_water()},
                         {"glb.A", a.meter().high_water()},
                         {"glb.B", b.meter().high_water()}};
  }
};

void fill_time(const ArrayBlocks& blocks, const sim::Simulation& simulation, ArrayRun& run) {
  const ArraysModule& arrays = blocks.arrays;
  run.instructions = arrays.instructions();
  run.busy = arrays.busy();
  run.fill = arrays.waits().fill;
  run.wait_a = arrays.waits().a;
  run.wait_b = arrays.waits().b;
  run.wait_z = arrays.waits().z;
  run.wait_port = arrays.held_up();
  run.cycles = std::max(simulation.now(), arrays.ended());
  run.drain = (run.cycles - arrays.ended()).count();
  run.activations = simulation.activations();
}

}  // namespace

ArrayRun run_array_program(const FabricSpec& spec, const ArrayProgram& program,
                           const ArrayRunOptions& options) {
  sim::SimulationOptions simulation_options;
  simulation_options.clock = spec.clock;
  simulation_options.stalls = options.stalls;
  simulation_options.timeline = options.timeline;
  simulation_options.shuffle = options.shuffle;
  const Residency residency(spec.glb.policy, spec.glb.window);
  const Fetches a = fetches_of(spec, program, &ArrayProduct::a_visits, residency);
  const Fetches b = fetches_of(spec, program, &ArrayProduct::b_visits, residency);

  sim::Simulation simulation(simulation_options);
  ArrayBlocks blocks(simulation, spec, program, residency, make_units(spec, program, options),
                     options.memory);
  // Addresses are positions in the order of fetching: what comes again has another address.
  blocks.a.request({0, a.bytes});
  blocks.b.request({0, b.bytes});
  blocks.arrays.start();
  simulation.run();

  ArrayRun run;
  fill_time(blocks, simulation, run);
  run.dram_a = blocks.dram_read->counts().of(Tensor::a);
  run.dram_b = blocks.dram_read->counts().of(Tensor::b);
  run.dram_z = blocks.written().counts().of(Tensor::z);
  LACUNA_CHECK(run.dram_a.read_bytes == a.bytes && run.dram_b.read_bytes == b.bytes,
               "{} and {} bytes of A and B came, {} and {} were to", run.dram_a.read_bytes,
               run.dram_b.read_bytes, a.bytes, b.bytes);
  run.fill_and_drain = fill_and_drain(spec, program);
  run.a_walks = a.walks;
  run.b_walks = b.walks;
  run.a_again = a.again;
  run.b_again = b.again;
  run.counts = counts_of(spec, program, blocks.arrays, a, b);
  blocks.meter(run.meters);
  check_limits(limits_of(spec), run.meters, blocks.arrays.macs().total(), run.cycles);
  return run;
}

}  // namespace lacuna
