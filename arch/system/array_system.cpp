// SPDX-License-Identifier: Apache-2.0
#include "arch/system/array_system.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "arch/compute/arrays/arrays.hpp"
#include "arch/compute/vector/vector_stream.hpp"
#include "arch/limits/physical_limits.hpp"
#include "arch/system/array_blocks.hpp"

namespace lacuna {
namespace {

std::shared_ptr<IUnit> make_unit(const FabricSpec& spec, const ArrayProgram::Part& part,
                                 const ArrayRunOptions& options, bool repeats) {
  if (!part.vector && !part.product->operands) return nullptr;
  if (options.unit_of) return options.unit_of(part);
  if (part.vector) return std::make_shared<VectorStream>(spec, *part.vector, *part.product);
  if (options.stepped) return make_stepped_arrays(spec, *part.product, repeats);
  return make_arrays(spec, *part.product, options.mode, repeats);
}

/// Operations that occur again in a step have their products again, and so their units.
ArrayUnits make_units(const FabricSpec& spec, const ArrayProgram& program,
                      const ArrayRunOptions& options) {
  const bool step = program.operations.size() > 1;
  std::map<const ArrayProduct*, std::shared_ptr<IUnit>> known;
  ArrayUnits units;
  for (const ArrayProgram::Part& part : program.parts) {
    const auto [unit, is_new] = known.try_emplace(part.product.get());
    if (is_new) unit->second = make_unit(spec, part, options, step || part.times > 1);
    units.push_back(unit->second);
  }
  return units;
}

/// What memory gives of one operand over the whole program.
struct Fetches {
  std::vector<FetchTotals> of_part;
  std::vector<std::uint64_t> of_operation;  // bytes
  std::uint64_t bytes = 0, again = 0, walks = 0;
};

Fetches fetches_of(const FabricSpec& spec, const ArrayProgram& program,
                   const TileVisits ArrayProduct::*visits, const Residency& residency) {
  Fetches all;
  all.of_operation.resize(program.operations.size());
  std::size_t operation = 0;
  for (const ArrayProgram::Part& part : program.parts) {
    const FetchTotals totals = fetch_totals(spec.name, (*part.product).*visits, residency);
    if (all.of_part.size() == program.operations[operation].parts_end) ++operation;
    all.of_operation[operation] += totals.bytes * part.times;
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

using UnitOf = std::function<const IUnit*(std::size_t part)>;

/// What one cluster does, and what it takes in.
FabricCounts counts_of(const FabricSpec& spec, const ArrayProgram& program, const UnitOf& unit_of,
                       const Fetches& a, const Fetches& b) {
  FabricCounts all;
  for (std::size_t i = 0; i < program.parts.size(); ++i) {
    const ArrayProduct& product = *program.parts[i].product;
    FabricCounts counts;
    if (const IUnit* unit = unit_of(i); unit != nullptr) counts = unit->counts();
    counts.fill_a = fetched_words(product.a, product.a_footprint, spec.word_bytes(), a.of_part[i]);
    counts.fill_b = fetched_words(product.b, product.b_footprint, spec.word_bytes(), b.of_part[i]);
    if (spec.fills_pass_a_port()) {
      counts.glb_write_cycles = (counts.fill_a.all() + counts.fill_b.all() +
                                 counts.psum_glb_writes + counts.z_glb_writes) /
                                spec.glb.write_words_per_cycle;
    }
    all.add(counts, static_cast<double>(program.parts[i].times));
  }
  return all;
}

/// What a shared level gives, and takes in.
void count_shared(const FabricSpec& spec, const ArrayBlocks& blocks, const FabricWords& first_b,
                  FabricCounts& counts) {
  const FabricSharedLevel& level = *spec.shared;
  // As words of the operand's kind: bytes that came, over bytes that were given on.
  const auto from_memory = [&](Tensor operand, const FabricWords& given) {
    const std::uint64_t bytes = blocks.shared_bytes(operand);
    const std::uint64_t came = blocks.reads().counts().of(operand).read_bytes;
    return bytes == 0 ? FabricWords{}
                      : given * (static_cast<double>(came) / static_cast<double>(bytes));
  };
  double in = 0, out = 0;
  if (level.a.share > 0) {
    counts.shared_a = counts.fill_a;
    counts.dram_a = from_memory(Tensor::a, counts.shared_a);
    in += counts.dram_a.all();
  }
  if (level.b.share > 0) {
    counts.shared_b = blocks.multicast() ? first_b : counts.fill_b;
    counts.dram_b = from_memory(Tensor::b, counts.shared_b);
    in += counts.dram_b.all();
  }
  if (level.z.share > 0) {
    counts.shared_z = counts.dram_z;
    in += counts.dram_z.all();
  }
  out = counts.shared_a.all() + counts.shared_b.all();
  if (level.read_words > 0) counts.shared_cycles = out / level.read_words;
  if (!spec.contention) counts.shared_cycles /= 2;  // each operand has the port for itself
  if (level.write_words > 0 && spec.contention) {
    counts.shared_cycles = std::max(counts.shared_cycles, in / level.write_words);
  }
}

void bound_memory(const FabricSpec& spec, FabricCounts& counts) {
  counts.dram_read_cycles = (counts.dram_a.all() + counts.dram_b.all()) / spec.dram.read_words;
  counts.dram_write_cycles = counts.dram_z.all() / spec.dram.write_words;
  if (spec.dram.shared) counts.dram_read_cycles += counts.dram_write_cycles;
}

double fill_and_drain(const FabricSpec& spec, const ArrayProgram& program) {
  const double word = spec.word_bytes(), latency = static_cast<double>(spec.dram.latency.count());
  double fill = 0, z = 0;
  for (const ArrayProgram::Part& part : program.parts) {
    const ArrayProduct& product = *part.product;
    if (part.vector || !product.operands) continue;
    double group = 0;  // bytes of A's first rows, which the first walk takes as they come
    for (std::uint64_t c = 0; c < product.chunks; ++c) group += product.a[c].all() * word;
    const double bytes = std::max(static_cast<double>(product.a_visits.together), group) +
                         static_cast<double>(product.b_visits.together);
    fill = std::max(fill, latency + bytes / (spec.dram.read_words * word));
    z = std::max(z, product.z_words_of(0, 0) * word);
  }
  return fill + (latency + z / (spec.dram.write_words * word));
}

/// What instructions claim, added up as a sequencer does: each product rounds by itself.
class ClaimedSums {
 public:
  ClaimedSums(const FabricSpec& spec, const ArrayUnits& units) : spec_(spec), units_(units) {}

  void add(const ArrayInstruction& instruction) {
    if (instruction.run != run_) {
      run_ = instruction.run;
      pairs_ = glb_ = written_ = {};
    }
    const Execution execution =
        instruction.idle ? Execution{} : units_[instruction.part]->execute(instruction);
    ++instructions;
    slots += pairs_.next(execution.multiplies);
    buffer_bytes += glb_.next(execution.glb_words * spec_.word_bytes());
    written_bytes += written_.next(execution.written_words * spec_.word_bytes());
    z_bytes += instruction.z_bytes;
    busy += execution.cycles;
  }

  std::uint64_t instructions = 0, slots = 0, buffer_bytes = 0, written_bytes = 0, z_bytes = 0;
  double busy = 0;

 private:
  const FabricSpec& spec_;
  const ArrayUnits& units_;
  std::uint64_t run_ = 0;
  WholeParts pairs_, glb_, written_;
};

/// Everything that a run has, from its programs to its results.
class ArrayRunner {
 public:
  ArrayRunner(const FabricSpec& spec, ArrayWorkload work, const ArrayRunOptions& options)
      : spec_(spec), work_(std::move(work)), options_(options) {
    const Residency of_a(spec.glb.a), of_b(spec.glb.b);
    for (const ArrayProgram* program : work_.clusters) {
      a_.push_back(fetches_of(spec, *program, &ArrayProduct::a_visits, of_a));
      b_.push_back(fetches_of(spec, *program, &ArrayProduct::b_visits, of_b));
    }
  }

  ArrayRun count_alone() {
    const ArrayProgram& program = *work_.clusters[0];
    const ArrayUnits units = make_units(spec_, program, options_);
    ClaimedSums sums(spec_, units);
    const ArrayWalk next = program.walk();
    for (ArrayInstruction instruction; next(instruction);) sums.add(instruction);
    run_.instructions = sums.instructions;
    run_.slots = sums.slots;
    run_.buffer_bytes = sums.buffer_bytes;
    run_.busy = sums.busy;
    run_.dram_a.read_bytes = a_[0].bytes;
    run_.dram_b.read_bytes = b_[0].bytes;
    run_.dram_z.write_bytes = sums.z_bytes;
    note_fetches(0);
    run_.fill_and_drain = fill_and_drain(spec_, program);
    run_.counts = counts_of(
        spec_, program, [&](std::size_t i) { return units[i].get(); }, a_[0], b_[0]);
    run_.counts.dram_a = run_.counts.fill_a;
    run_.counts.dram_b = run_.counts.fill_b;
    bound_memory(spec_, run_.counts);
    const std::uint64_t in = a_[0].bytes + b_[0].bytes;
    auto& ports = run_.meters.ports;
    ports[spec_.dram.shared ? "dram" : "dram_read"].total = in;
    ports[spec_.dram.shared ? "dram" : "dram_write"].total += sums.z_bytes;
    ports["glb"].total = sums.buffer_bytes;
    ports["mac"].total = sums.slots;
    if (spec_.fills_pass_a_port()) ports["glb_write"].total = in + sums.written_bytes;
    return std::move(run_);
  }

  ArrayRun run() {
    sim::SimulationOptions simulation_options;
    simulation_options.clock = spec_.clock;
    simulation_options.stalls = options_.stalls;
    simulation_options.timeline = options_.timeline;
    simulation_options.shuffle = options_.shuffle;
    sim::Simulation simulation(simulation_options);
    std::vector<ArrayUnits> units;
    for (const ArrayProgram* program : work_.clusters) {
      units.push_back(make_units(spec_, *program, options_));
    }
    ArrayBlocks blocks(simulation, spec_, work_, std::move(units), options_.memory);
    std::vector<ArrayBlocks::OperandBytes> a, b;
    for (std::size_t c = 0; c < a_.size(); ++c) {
      a.push_back(a_[c].of_operation);
      b.push_back(b_[c].of_operation);
    }
    blocks.start(work_, a, b);
    simulation.run();
    fill_time(blocks, simulation);
    count_moved(blocks);
    if (work_.clusters[0]->operations.size() == 1) count(blocks);
    if (work_.clusters.size() == 1) divide_time(blocks.arrays(0));
    blocks.meter(run_.meters);
    check_limits(limits_of(spec_), run_.meters, run_.slots, run_.cycles);
    return std::move(run_);
  }

 private:
  /// Of the cluster that is done last.
  void fill_time(const ArrayBlocks& blocks, const sim::Simulation& simulation) {
    const ArraysModule* last = &blocks.arrays(0);
    for (std::size_t c = 0; c < work_.clusters.size(); ++c) {
      const ArraysModule& arrays = blocks.arrays(c);
      run_.instructions += arrays.instructions();
      run_.slots += arrays.macs().total();
      run_.buffer_bytes += arrays.glb().total();
      if (arrays.ended() > last->ended()) last = &arrays;
    }
    run_.busy = last->busy();
    run_.fill = last->waits().fill;
    run_.wait_a = last->waits().a;
    run_.wait_b = last->waits().b;
    run_.wait_z = last->waits().z;
    run_.wait_port = last->held_up();
    run_.cycles = std::max(simulation.now(), last->ended());
    run_.drain = (run_.cycles - last->ended()).count();
    run_.activations = simulation.activations();
    run_.fill_and_drain = fill_and_drain(spec_, *work_.clusters[0]);
  }

  /// Among the operations of a step.
  void divide_time(const ArraysModule& arrays) {
    ArraysModule::OperationEnd before;
    const auto whole_cycles = [](sim::Ticks ticks) { return ticks >> sim::kTickBits; };
    for (const ArraysModule::OperationEnd& end : arrays.operations()) {
      OperationTime& time = run_.operations.emplace_back();
      time.cycles = end.ended - before.ended;
      time.busy = end.busy - before.busy;
      time.wait_a = end.waits.a - before.waits.a;
      time.wait_b = end.waits.b - before.waits.b;
      time.wait_z = end.waits.z - before.waits.z;
      time.wait_port = whole_cycles(end.held_up) - whole_cycles(before.held_up);
      before = end;
    }
    run_.operations.front().idle = run_.fill;
    run_.operations.back().idle += run_.drain;
    run_.operations.back().cycles += Cycles(run_.drain);
  }

  void count(const ArrayBlocks& blocks) {
    FabricWords first_b;
    for (std::size_t c = 0; c < work_.clusters.size(); ++c) {
      const FabricCounts of_cluster = counts_of(
          spec_, *work_.clusters[c], [&](std::size_t i) { return blocks.arrays(c).unit(i); }, a_[c],
          b_[c]);
      if (c == 0) first_b = of_cluster.fill_b;
      run_.counts.add_beside(of_cluster);
    }
    run_.counts.dram_a = run_.counts.fill_a;
    run_.counts.dram_b = run_.counts.fill_b;
    if (spec_.shared) count_shared(spec_, blocks, first_b, run_.counts);
    bound_memory(spec_, run_.counts);
  }

  void note_fetches(std::size_t cluster) {
    run_.a_walks += a_[cluster].walks;
    run_.b_walks += b_[cluster].walks;
    run_.a_again += a_[cluster].again;
    run_.b_again += b_[cluster].again;
  }

  void count_moved(const ArrayBlocks& blocks) {
    std::uint64_t a_bytes = 0, b_bytes = 0;
    for (std::size_t c = 0; c < work_.clusters.size(); ++c) {
      a_bytes += a_[c].bytes;
      if (c == 0 || !blocks.multicast()) b_bytes += b_[c].bytes;
      note_fetches(c);
    }
    run_.dram_a = blocks.reads().counts().of(Tensor::a);
    run_.dram_b = blocks.reads().counts().of(Tensor::b);
    run_.dram_z = blocks.writes().counts().of(Tensor::z);
    const auto all_came = [&](Tensor operand, const Moved& moved, bool shared, std::uint64_t want) {
      const std::uint64_t came = shared ? blocks.shared_bytes(operand) : moved.read_bytes;
      LACUNA_CHECK(came == want, "{} bytes of {} came, {} were to", came,
                   kTensorNames[static_cast<std::size_t>(operand)], want);
    };
    all_came(Tensor::a, run_.dram_a, spec_.shared && spec_.shared->a.share > 0, a_bytes);
    all_came(Tensor::b, run_.dram_b, spec_.shared && spec_.shared->b.share > 0, b_bytes);
  }

  const FabricSpec& spec_;
  ArrayWorkload work_;
  const ArrayRunOptions& options_;
  std::vector<Fetches> a_, b_;  // of each cluster
  ArrayRun run_;
};

}  // namespace

ArrayRun run_array_program(const FabricSpec& spec, const ArrayProgram& program,
                           const ArrayRunOptions& options) {
  LACUNA_CHECK(!spec.shared && spec.clusters == 1, "{} has clusters", spec.name);
  ArrayRunner runner(spec, {{&program}, nullptr}, options);
  return options.time == ArrayTime::simulated ? runner.run() : runner.count_alone();
}

ArrayRun run_shared_program(const FabricSpec& spec, const SharedProgram& program,
                            const ArrayRunOptions& options) {
  ArrayWorkload work;
  for (const ArrayProgram& of_cluster : program.clusters) work.clusters.push_back(&of_cluster);
  work.shared = &program.products;
  return ArrayRunner(spec, std::move(work), options).run();
}

}  // namespace lacuna
