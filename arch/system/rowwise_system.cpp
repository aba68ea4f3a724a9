// SPDX-License-Identifier: Apache-2.0
#include "arch/system/rowwise_system.hpp"

#include <algorithm>
#include <cmath>

#include "arch/buffer/fiber_level_module.hpp"
#include "arch/compute/row_element_module.hpp"
#include "arch/limits/physical_limits.hpp"
#include "arch/memory/metered.hpp"
#include "arch/system/rowwise_energy.hpp"
#include "base/whole.hpp"

namespace lacuna {
namespace {

// Who is served first of those that ask memory at once: what leaves, then what a level fetches,
// then the elements by their numbers.
constexpr unsigned kLevelDrain = 0, kLevelFetch = 1, kFirstElement = 2;
enum class ElementRank : unsigned { z, partial_outputs, leader, followers, partials, samples };
/// Of an element's clients without S, so that others keep their places where there is none.
constexpr unsigned kElementClients = 5;
/// Who of the level's clients.
constexpr unsigned kLevelClients = 3;

std::unique_ptr<IFiberStore> make_store(const FiberLevelSpec& level, const RowwiseProgram& program,
                                        std::uint64_t base) {
  if (level.policy == BufferPolicy::cache)
    return std::make_unique<CachedFibers>(level, level.capacity);
  return std::make_unique<TiledFibers>(level, program.blocks(), base);
}

/// The blocks and their wiring. Members are made in this order and die in the reverse one.
struct RowwiseBlocks {
  std::unique_ptr<IMemory> dram;
  std::unique_ptr<DrainModule> level_drain;
  std::unique_ptr<FiberLevelModule> level;
  TaskSource source;
  bool samples;  // the product is sampled by S
  std::vector<std::unique_ptr<RowElementModule>> elements;

  RowwiseBlocks(sim::Simulation& simulation, const RowwiseSpec& spec, RowwiseProgram& program,
                RowSteps* steps, bool exact, const MemoryFactory& memory)
      : dram(make_memory(memory, "dram", simulation, spec.dram)),
        source(simulation, program, spec.elements.count),
        samples(program.samples() != nullptr) {
    if (spec.level) {
      MemoryClient drain = client(spec, kLevelDrain);
      drain.regions = TensorRegions{};  // what leaves the level has its address
      level_drain = std::make_unique<DrainModule>("level_drain", simulation, drain);
      const Tensor follower = spec.leader_is_b ? Tensor::a : Tensor::b;
      level = std::make_unique<FiberLevelModule>(
          spec.level->name.c_str(), simulation, *spec.level,
          make_store(*spec.level, program, kFixedRegions.of(follower)), client(spec, kLevelFetch),
          *level_drain);
    }
    for (std::size_t i = 0; i < spec.elements.count; ++i) {
      elements.push_back(std::make_unique<RowElementModule>(
          fmt::format("{}{}", spec.elements.buffer, i).c_str(), simulation, spec, i, source,
          wiring(spec, static_cast<unsigned>(i)), steps, exact));
    }
  }

  [[nodiscard]] MemoryClient client(const RowwiseSpec& spec, unsigned rank) const {
    return {*dram, rank, spec.dram.chunk.count(), spec.dram.outstanding};
  }
  [[nodiscard]] RowElementWiring wiring(const RowwiseSpec& spec, unsigned element) const {
    const auto direct = [&](ElementRank rank) {
      const unsigned clients = kElementClients + (samples ? 1 : 0);
      return client(spec, kFirstElement + element * clients + static_cast<unsigned>(rank));
    };
    const auto by_level = [&](unsigned rank) {
      return MemoryClient{*level, element * kLevelClients + rank, spec.dram.chunk.count(),
                          spec.dram.outstanding};
    };
    const bool fibers = level != nullptr, partials = fibers && spec.level->holds_partials;
    return {direct(ElementRank::leader),
            fibers ? by_level(2) : direct(ElementRank::followers),
            partials ? by_level(1) : direct(ElementRank::partials),
            direct(ElementRank::z),
            partials ? by_level(0) : direct(ElementRank::partial_outputs),
            samples ? std::optional(direct(ElementRank::samples)) : std::nullopt,
            fibers,
            partials};
  }
};

Cycles rowwise_bound(double work, double rate) {
  if (!std::isfinite(rate)) return Cycles(0);
  return Cycles(whole_up(work / rate - 1e-9));
}

void fill_rowwise_traffic(const RowwiseSpec& spec, const RowwiseBlocks& blocks,
                          MachineStatistics& out) {
  auto& dram = out.traffic["dram"];
  const MemoryCounts counts = blocks.dram->counts();
  for (std::size_t t = 0; t < kTensorNames.size(); ++t) {
    if (Tensor(t) == Tensor::s && !blocks.samples) continue;
    dram[std::string(kTensorNames[t])] = counts.moved[t];
  }
  if (!spec.level) return;
  const MemoryCounts level = blocks.level->counts();
  auto& held = out.traffic[spec.level->name];
  const Tensor follower = spec.leader_is_b ? Tensor::a : Tensor::b;
  const std::string name(kTensorNames[static_cast<std::size_t>(follower)]);
  held[name] = {level.of(follower).read_bytes, counts.of(follower).read_bytes};
  if (spec.level->holds_partials) held["Z_partial"] = level.of(Tensor::z_partial);
}

/// What the elements counted together.
struct RowwiseSums {
  RowCounts counts;
  std::uint64_t tasks = 0;
  std::uint64_t scaled = 0;
};

RowwiseSums sums_of(const RowwiseBlocks& blocks) {
  RowwiseSums sums;
  for (const auto& element : blocks.elements) {
    sums.counts.multiplies += element->counts().multiplies;
    sums.counts.merged += element->counts().merged;
    sums.counts.adds += element->counts().adds;
    sums.counts.outputs += element->counts().outputs;
    sums.tasks += element->tasks();
    sums.scaled += element->scaled();
  }
  return sums;
}

/// What elements take from the level or past it, and give.
std::uint64_t bytes_to_elements(const RowwiseSpec& spec, const RowwiseBlocks& blocks) {
  const MemoryCounts dram = blocks.dram->counts(), level = blocks.level->counts();
  const Moved partial = (spec.level->holds_partials ? level : dram).of(Tensor::z_partial);
  return dram.of(spec.leader_is_b ? Tensor::b : Tensor::a).read_bytes +
         level.of(spec.leader_is_b ? Tensor::a : Tensor::b).read_bytes +
         dram.of(Tensor::s).read_bytes + dram.of(Tensor::z).write_bytes + partial.read_bytes +
         partial.write_bytes;
}

void fill_rowwise_actions(const RowwiseSpec& spec, const RowwiseBlocks& blocks,
                          const RowwiseSums& sums, MachineStatistics& out) {
  const MemoryCounts dram = blocks.dram->counts();
  const auto [read, written] = dram.all();
  out.actions["dram"]["read_bits"] = 8 * read;
  out.actions["dram"]["write_bits"] = 8 * written;
  if (spec.level) {
    out.actions[spec.level->name]["read"] = blocks.level->lines_read();
    out.actions[spec.level->name]["write"] = blocks.level->lines_written();
  }
  out.actions["link_memory"]["byte"] = read + written;
  if (spec.level) out.actions["link_elements"]["byte"] = bytes_to_elements(spec, blocks);
  const std::uint64_t line = spec.elements.line.count();
  const auto lines = [line](std::uint64_t bytes) { return ceil_div(bytes, line); };
  const ElementMemories memories = element_memories(spec);
  // S lies beside the leader.
  const std::uint64_t leader =
      dram.of(spec.leader_is_b ? Tensor::b : Tensor::a).read_bytes + dram.of(Tensor::s).read_bytes;
  out.actions[memories.leader]["write"] += lines(leader);
  out.actions[memories.leader]["read"] += lines(leader);
  if (spec.elements.separate) {
    // A column's nonzeros come line by line; sums are read and written for each multiply.
    const std::uint64_t bits = sums.counts.multiplies * spec.follower().nonzero_bits();
    out.actions[memories.follower]["write"] +=
        lines(dram.of(spec.leader_is_b ? Tensor::a : Tensor::b).read_bytes);
    out.actions[memories.follower]["read"] += lines(ceil_div(bits, 8));
    out.actions[memories.sums]["write"] += sums.counts.multiplies;
    out.actions[memories.sums]["read"] += sums.counts.adds + sums.counts.outputs;
  } else {
    std::uint64_t outputs = dram.of(Tensor::z).write_bytes;
    outputs += spec.level && spec.level->holds_partials
                   ? blocks.level->counts().of(Tensor::z_partial).write_bytes
                   : dram.of(Tensor::z_partial).write_bytes;
    out.actions[memories.sums]["write"] += lines(outputs);
    out.actions[memories.sums]["read"] += lines(outputs);
  }
  if (spec.merges()) out.actions["merge"]["merge"] = sums.counts.merged;
  out.actions["multiplier"]["compute"] = sums.counts.multiplies + sums.scaled;
  out.actions["adder"]["compute"] = sums.counts.adds;
  out.actions["sequencer"]["step"] = sums.tasks;
}

/// Parts of `cycles` of every element; whole cycles that sum up.
void fill_rowwise_stalls(const RowwiseBlocks& blocks, MachineStatistics& out) {
  sim::WideTicks busy = 0, a = 0, b = 0, output = 0, imbalance = 0, drain = 0;
  sim::Ticks last = 0;
  for (const auto& element : blocks.elements) last = std::max(last, element->times().last_end);
  const sim::Ticks end = sim::to_ticks(out.cycles);
  for (const auto& element : blocks.elements) {
    const RowElementTimes& times = element->times();
    busy += times.busy;
    a += times.wait_a;
    b += times.wait_b;
    output += times.wait_output;
    imbalance += times.imbalance + (last - times.last_end);
    drain += end - last;
    out.pe_busy.push_back(times.busy >> sim::kTickBits);
  }
  sim::WideTicks before = 0;
  const auto whole = [&before](sim::WideTicks ticks) {
    const sim::WideTicks after = before + ticks;
    const auto cycles =
        static_cast<std::uint64_t>((after >> sim::kTickBits) - (before >> sim::kTickBits));
    before = after;
    return cycles;
  };
  out.stalls.busy = whole(busy);
  out.stalls.wait_a = whole(a);
  out.stalls.wait_b = whole(b);
  out.stalls.wait_output = whole(output);
  out.stalls.imbalance = whole(imbalance);
  out.stalls.drain = whole(drain);
  const std::uint64_t all = out.stalls.busy + out.stalls.wait_a + out.stalls.wait_b +
                            out.stalls.wait_output + out.stalls.imbalance + out.stalls.drain;
  LACUNA_CHECK(all == out.cycles.count() * blocks.elements.size(),
               "elements account for {} cycles of {}", all,
               out.cycles.count() * blocks.elements.size());
}

void fill_rowwise_meters(const RowwiseSpec& spec, const RowwiseBlocks& blocks, Meters& out) {
  out.ports["dram"] = blocks.dram->counts().port;
  if (spec.level) {
    out.ports[spec.level->name] = blocks.level->counts().port;
    out.ports[spec.level->name + "_write"] = use_of(blocks.level->write_meter());
    out.high_water[spec.level->name] = blocks.level->high_water();
  }
  const std::string& name = spec.elements.buffer;
  const std::string leader = name + (spec.leader_is_b ? ".B" : ".A");
  const std::string follower = name + (spec.leader_is_b ? ".A" : ".B");
  const auto most = [&out](const std::string& buffer, std::uint64_t bytes) {
    std::uint64_t& held = out.high_water[buffer];
    held = std::max(held, bytes);
  };
  for (const auto& element : blocks.elements) {
    most(leader, element->leader_high_water());
    most(name + ".Z", element->output_high_water());
    if (blocks.samples) most(name + ".S", element->samples_high_water());
    if (spec.elements.follower_room) most(follower, element->follower_high_water());
  }
}

void fill_rowwise_bounds(const RowwiseSpec& spec, const RowwiseBlocks& blocks,
                         const RowwiseSums& sums, MachineStatistics& out) {
  const Moved dram = blocks.dram->counts().all();
  out.dram_bytes_per_cycle = spec.dram.bytes_per_cycle;
  out.bounds["dram"] =
      rowwise_bound(real(dram.read_bytes + dram.write_bytes), spec.dram.bytes_per_cycle);
  const double elements = real(spec.elements.count);
  Cycles compute = rowwise_bound(real(sums.counts.multiplies + sums.scaled),
                                 elements * real(spec.elements.lanes));
  if (spec.merges()) {
    compute = std::max(compute, rowwise_bound(real(sums.counts.merged),
                                              elements * spec.elements.merged_per_cycle));
  }
  out.bounds["compute"] = compute;
  if (spec.level) {
    const Moved level = blocks.level->counts().all();
    out.bounds["network"] = rowwise_bound(real(level.read_bytes), spec.level->read_bytes_per_cycle);
  }
  bound_cycles(spec.bound.left_out(), out);
  find_limiter(out);
}

}  // namespace

RunOutcome run_rowwise(const RowwiseSpec& spec, RowwiseProgram& program,
                       const RunOptions& options) {
  sim::SimulationOptions simulation_options;
  simulation_options.clock = spec.clock;
  simulation_options.stalls = options.stalls;
  simulation_options.timeline = options.timeline;
  simulation_options.interrupted = options.interrupted;
  simulation_options.shuffle = options.shuffle;
  sim::Simulation simulation(simulation_options);

  const bool exact = options.fidelity == Fidelity::element;
  std::optional<RowSteps> steps;
  if (exact || options.carry_values) steps.emplace(program, spec);
  RowwiseBlocks blocks(simulation, spec, program, steps ? &*steps : nullptr, exact, options.memory);
  simulation.run();

  RunOutcome outcome;
  MachineStatistics& out = outcome.statistics;
  out.cycles = simulation.now();
  out.activations = simulation.activations();
  const RowwiseSums sums = sums_of(blocks);
  out.macs_effectual = sums.counts.multiplies;
  out.adds = sums.counts.adds;
  out.z_nonzeros = sums.counts.outputs;
  out.iterations["tasks"] = sums.tasks;
  fill_rowwise_traffic(spec, blocks, out);
  fill_rowwise_actions(spec, blocks, sums, out);
  fill_rowwise_stalls(blocks, out);
  fill_rowwise_meters(spec, blocks, out.meters);
  fill_rowwise_bounds(spec, blocks, sums, out);
  if (steps) outcome.product = steps->product();
  PhysicalLimits limits = limits_of(spec);
  if (blocks.samples) {
    limits.buffers.push_back(
        {spec.elements.buffer + ".S", spec.elements.room_beside_samples().count()});
  }
  check_limits(limits, out.meters, out.macs_effectual, out.cycles);
  return outcome;
}

}  // namespace lacuna
