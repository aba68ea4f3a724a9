// SPDX-License-Identifier: Apache-2.0
#include "arch/machine/machine.hpp"

#include <algorithm>
#include <cmath>

#include "arch/limits/physical_limits.hpp"
#include "arch/machine/cluster_module.hpp"
#include "arch/machine/sequencer_module.hpp"
#include "arch/memory/metered.hpp"
#include "base/whole.hpp"

namespace lacuna {
namespace {

std::uint64_t share_bytes(const LlbSpec& llb, double share) {
  const auto bytes = static_cast<std::uint64_t>(share * static_cast<double>(llb.capacity.count()));
  LACUNA_CHECK(bytes > 0, "a share of {} of {} bytes", share, llb.capacity.count());
  return bytes;
}

/// Who is served first of those that ask memory at once.
enum class ClientRank : unsigned { drain, z, a, b, s };

/// S of a sampled product lies beside the outputs that it tells of: half of their share is its.
std::uint64_t room_of_z(const MachineSpec& spec, bool samples) {
  const std::uint64_t room = share_bytes(spec.llb, spec.llb.shares.z);
  return samples ? std::max<std::uint64_t>(1, room / 2) : room;
}

std::unique_ptr<BufferBanks> make_banks(const MachineSpec& spec) {
  if (!spec.waits_for_banks()) return nullptr;
  return std::make_unique<BufferBanks>(spec.llb.banks * spec.llb.slices, spec.llb.line.count());
}

std::unique_ptr<BufferPort> make_fill_port(sim::Simulation& simulation, const MachineSpec& spec,
                                           BufferBanks* banks) {
  if (!spec.fills_pass_a_port() && banks == nullptr) return nullptr;
  return std::make_unique<BufferPort>(simulation, spec.llb.fill_bytes_per_cycle, banks);
}

/// The blocks and their wiring. Members are made in this order and die in the reverse one.
struct Blocks {
  sim::Channel<RowCommand> rows;
  std::unique_ptr<IMemory> dram;
  sim::BufferMeter llb;
  std::unique_ptr<BufferBanks> banks;     // of the buffer, when they are waited for
  std::unique_ptr<BufferPort> fill_port;  // into the buffer, when it has a rate or banks
  StreamModule a, b, z;
  std::unique_ptr<StreamModule> s;  // of a sampled product
  DrainModule drain;
  SequencerModule sequencer;
  ClusterModule cluster;

  Blocks(sim::Simulation& simulation, const MachineSpec& spec, TileProgram& program,
         ElementPairs* elements, bool exact_steps, const MemoryFactory& memory)
      : rows(simulation, "rows", spec.lookahead),
        dram(make_memory(memory, "dram", simulation, spec.dram)),
        banks(make_banks(spec)),
        fill_port(make_fill_port(simulation, spec, banks.get())),
        a("a_stream", simulation, Tensor::a, share_bytes(spec.llb, spec.llb.shares.a),
          client(spec, ClientRank::a), {{&llb, fill(ClientRank::a)}}),
        b("b_stream", simulation, Tensor::b, share_bytes(spec.llb, spec.llb.shares.b),
          client(spec, ClientRank::b), {{&llb, fill(ClientRank::b)}}),
        z("z_stream", simulation, Tensor::z_partial, room_of_z(spec, program.samples() != nullptr),
          client(spec, ClientRank::z), {{&llb, fill(ClientRank::z)}}),
        s(program.samples() == nullptr ? nullptr
                                       : std::make_unique<StreamModule>(
                                             "s_stream", simulation, Tensor::s,
                                             room_of_z(spec, true), client(spec, ClientRank::s),
                                             std::vector<StreamSink>{{&llb, fill(ClientRank::s)}})),
        drain("drain", simulation, client(spec, ClientRank::drain), fill(ClientRank::drain)),
        sequencer("sequencer", simulation, program, spec.llb, a, b, z, rows, s.get()),
        cluster("pes", simulation, spec, program, a, b, z, drain, rows, elements, exact_steps,
                banks.get(), s.get()) {}

  MemoryClient client(const MachineSpec& spec, ClientRank rank) {
    return {*dram, static_cast<unsigned>(rank), spec.dram.chunk.count(), spec.dram.outstanding};
  }
  [[nodiscard]] FillPort fill(ClientRank rank) const {
    return {fill_port.get(), static_cast<unsigned>(rank)};
  }
};

Cycles work_over_rate(std::uint64_t work, double rate) {
  if (!std::isfinite(rate)) return Cycles(0);
  return Cycles(whole_up(static_cast<double>(work) / rate - 1e-9));
}

void fill_traffic(const Blocks& blocks, MachineStatistics& out) {
  auto& dram = out.traffic["dram"];
  for (std::size_t t = 0; t < kTensorNames.size(); ++t) {
    if (Tensor(t) == Tensor::s && !blocks.s) continue;
    dram[std::string(kTensorNames[t])] = blocks.dram->counts().moved[t];
  }
  const ClusterCounts& counts = blocks.cluster.counts();
  auto& llb = out.traffic["llb"];
  if (blocks.s) llb["S"] = {counts.s_bytes, dram["S"].read_bytes};
  llb["A"] = {counts.a_bytes, dram["A"].read_bytes};
  llb["B"] = {counts.b_bytes, dram["B"].read_bytes};
  // Partial outputs and outputs pass the last-level buffer in both directions.
  llb["Z"] = {dram["Z"].write_bytes, dram["Z"].write_bytes};
  llb["Z_partial"] = {dram["Z_partial"].read_bytes + dram["Z_partial"].write_bytes,
                      dram["Z_partial"].read_bytes + dram["Z_partial"].write_bytes};
  out.traffic["peb_spill"]["Z"] = {blocks.sequencer.z_peb_spill_bytes() / 2,
                                   blocks.sequencer.z_peb_spill_bytes() / 2};
  out.traffic["peb_spill"]["A+B"] = {counts.peb_overflow_bytes, 0};
}

void fill_actions(const MachineSpec& spec, const Blocks& blocks, MachineStatistics& out) {
  const ClusterCounts& counts = blocks.cluster.counts();
  const std::uint64_t line = spec.llb.line.count();
  const auto lines = [line](std::uint64_t bytes) { return ceil_div(bytes, line); };
  const MemoryCounts dram = blocks.dram->counts();
  const auto [read, written] = dram.all();
  const std::uint64_t spill = blocks.sequencer.z_peb_spill_bytes() / 2;
  out.actions["dram"]["read_bits"] = 8 * read;
  out.actions["dram"]["write_bits"] = 8 * written;
  // In: what DRAM brings, outputs and spilled parts of the elements. Out: what the elements take,
  // outputs on their way to DRAM, partial outputs on their way back.
  const std::uint64_t partial = dram.of(Tensor::z_partial).read_bytes;
  out.actions["llb"]["write"] = lines(read) + lines(written) + lines(spill);
  out.actions["llb"]["read"] = counts.llb_read_lines + lines(written) + lines(partial) +
                               lines(spill) + lines(counts.peb_overflow_bytes);
  // A coordinate or a value is a word of 64 bits: it takes every line that it spans.
  constexpr std::uint64_t kWord = 8;
  const std::uint64_t peb_line = spec.peb.line.count();
  const std::uint64_t of_word = ceil_div(kWord, peb_line);
  // A comparison reads two coordinates, a multiply two values; multiplies by S are such too.
  const std::uint64_t tries = counts.k0_tries + counts.place_tries;
  const std::uint64_t products = counts.multiplies + counts.scaled;
  out.actions["peb"]["write"] =
      counts.peb_fill_lines + of_word * products + ceil_div(partial, peb_line);
  out.actions["peb"]["read"] =
      of_word * (2 * (tries + products) + counts.adds) + ceil_div(written, peb_line);
  out.actions["link_memory"]["byte"] = read + written;
  out.actions["link_elements"]["byte"] = counts.a_bytes + counts.b_bytes + counts.s_bytes +
                                         written + partial + 2 * spill + counts.peb_overflow_bytes;
  out.actions["intersect_k0"]["try"] = tries;
  out.actions["intersect_k0"]["match"] = counts.multiplies;
  out.actions["intersect_k1"]["try"] = counts.k1_tries + counts.n1_tries;
  out.actions["intersect_k1"]["match"] = counts.matches;
  out.actions["intersect_k2"]["try"] = blocks.sequencer.k2_tries();
  out.actions["multiplier"]["compute"] = products;
  out.actions["adder"]["compute"] = counts.adds;
  out.iterations = blocks.sequencer.iterations();
  out.iterations["N1"] = counts.n1;
  out.iterations["K1"] = counts.matches;
  out.iterations["M0"] = counts.m0;
  out.iterations["N0"] = counts.n0;
  out.iterations["K0"] = counts.multiplies;
  for (const auto& [rank, trips] : out.iterations) out.actions["sequencer"]["step"] += trips;
  if (blocks.s) {  // rows, columns and tiles that S has too are matches of the same units
    out.actions["intersect_k0"]["match"] += counts.m0 + counts.n0;
    out.actions["intersect_k1"]["match"] += counts.n1;
  }
  out.macs_effectual = counts.multiplies;
  out.adds = counts.adds;
  out.z_nonzeros = counts.z_nonzeros;
  out.pe_busy = blocks.cluster.pes().busy();
  out.stalls = blocks.cluster.pes().breakdown(sim::to_ticks(out.cycles));
}

/// Counts of the stepped coordinates against those of the model.
void check_elements(const ElementCounts& stepped, const Blocks& blocks, const MachineSpec& spec) {
  const ClusterCounts& counts = blocks.cluster.counts();
  const auto same = [](const char* what, std::uint64_t a, std::uint64_t b) {
    LACUNA_CHECK(a == b, "{}: {} stepped, {} counted", what, a, b);
  };
  same("tries", stepped.tries, counts.k0_tries);
  same("multiplies", stepped.multiplies, counts.multiplies);
  same("adds", stepped.adds, counts.adds);
  same("fibers of A", stepped.m0, counts.m0);
  same("fibers of B", stepped.n0, counts.n0);
  same("lines into PE buffers", stepped.peb_fills, counts.peb_fill_lines);
  same("operand reads of PE buffers", stepped.peb_reads, 2 * (counts.k0_tries + counts.multiplies));
  same("outputs", stepped.z_added, counts.z_nonzeros);
  same("tries for places of S", stepped.place_tries, counts.place_tries);
  same("multiplies by S", stepped.scaled, counts.scaled);
  same("partial outputs that returned", stepped.z_before * spec.formats.z_nonzero_bytes,
       blocks.dram->counts().of(Tensor::z_partial).read_bytes);
}

void fill_meters(const Blocks& blocks, Meters& out) {
  out.ports["dram"] = blocks.dram->counts().port;
  out.banks = blocks.dram->counts().banks;
  out.ports["llb"] = use_of(blocks.cluster.pes().meter());
  if (blocks.fill_port) out.ports["llb_fill"] = use_of(*blocks.fill_port);
  if (blocks.banks) out.ports["llb_banks"] = use_of(*blocks.banks);
  out.high_water["llb"] = blocks.llb.high_water();
  out.high_water["llb.A"] = blocks.a.meter().high_water();
  out.high_water["llb.B"] = blocks.b.meter().high_water();
  out.high_water["llb.Z"] = blocks.z.meter().high_water();
  if (blocks.s) out.high_water["llb.S"] = blocks.s->meter().high_water();
}

void fill_bounds(const MachineSpec& spec, const Blocks& blocks, MachineStatistics& out) {
  const ClusterCounts& counts = blocks.cluster.counts();
  const Moved dram = blocks.dram->counts().all();
  out.bounds["dram"] =
      work_over_rate(dram.read_bytes + dram.write_bytes, spec.dram.bytes_per_cycle);
  const std::uint64_t overhead = counts.matches * spec.pes.pair_overhead.count();
  out.bounds["compute"] =
      work_over_rate(counts.k0_tries + counts.place_tries + counts.scaled + overhead,
                     static_cast<double>(spec.pes.count));
  out.bounds["network"] =
      work_over_rate(blocks.cluster.pes().port().bytes(), spec.llb.bytes_per_cycle);
  if (blocks.fill_port) {  // everything that memory gives or takes has passed it
    out.bounds["fill"] =
        work_over_rate(dram.read_bytes + dram.write_bytes, spec.llb.fill_bytes_per_cycle);
  }
  out.bounds["intersect"] =
      work_over_rate(counts.k1_tries + counts.n1_tries, spec.intersect_k1.tries_per_cycle);
  bound_cycles(spec.bound.left_out(), out);
  find_limiter(out);
}

}  // namespace

RunOutcome run_machine(const MachineSpec& spec, TileProgram& program, const RunOptions& options) {
  sim::SimulationOptions simulation_options;
  simulation_options.clock = spec.clock;
  simulation_options.stalls = options.stalls;
  simulation_options.timeline = options.timeline;
  simulation_options.interrupted = options.interrupted;
  simulation_options.shuffle = options.shuffle;
  sim::Simulation simulation(simulation_options);

  const bool exact_steps = options.fidelity == Fidelity::element;
  std::optional<ElementPairs> elements;
  if (exact_steps || options.carry_values) {
    elements.emplace(program,
                     spec.intersect_k0.kind == IntersectUnitKind::skip_ahead
                         ? IntersectKind::skip_ahead
                         : IntersectKind::two_finger,
                     spec.peb.line);
  }
  Blocks blocks(simulation, spec, program, elements ? &*elements : nullptr, exact_steps,
                options.memory);
  simulation.run();

  RunOutcome outcome;
  MachineStatistics& out = outcome.statistics;
  out.cycles = simulation.now();
  out.activations = simulation.activations();
  out.dram_bytes_per_cycle = spec.dram.bytes_per_cycle;
  fill_traffic(blocks, out);
  fill_actions(spec, blocks, out);
  fill_bounds(spec, blocks, out);
  fill_meters(blocks, out.meters);
  if (elements) {
    check_elements(elements->counts(), blocks, spec);
    outcome.product = elements->result();
  }
  PhysicalLimits limits = limits_of(spec);
  if (blocks.s) limits.buffers.push_back({"llb.S", blocks.s->capacity()});
  check_limits(limits, out.meters, out.macs_effectual, out.cycles);
  return outcome;
}

}  // namespace lacuna
