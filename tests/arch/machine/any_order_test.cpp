// SPDX-License-Identifier: Apache-2.0
// Does a run depend on what it should not: the order in which modules are made, the order in which
// the kernel runs the processes of a delta?
#include <algorithm>
#include <array>
#include <memory>

#include "arch/machine/cluster_module.hpp"
#include "arch/machine/sequencer_module.hpp"
#include "arch/memory/fixed_memory.hpp"
#include "tests/arch/random_runs.hpp"
#include "tests/arch/same_run.hpp"
#include "tests/arch/scripted.hpp"

using namespace lacuna;
using namespace lacuna::test;

namespace {

constexpr std::uint64_t kMachines = 60;

/// The blocks of an ExTensor machine, those before memory made in a given order.
struct Blocks {
  sim::Simulation simulation;
  sim::Channel<RowCommand> rows;
  FixedMemory dram;
  BufferPort port;
  std::array<std::unique_ptr<StreamModule>, 3> streams;  // A, B, partial outputs
  std::unique_ptr<DrainModule> drain;
  std::unique_ptr<SequencerModule> sequencer;
  std::unique_ptr<ClusterModule> cluster;

  /// Parts: 0 to 2 the streams, 3 the drain.
  Blocks(const MachineSpec& spec, TileProgram& program, const std::array<std::size_t, 4>& order,
         bool cluster_first)
      : rows(simulation, "rows", spec.lookahead),
        dram("dram", simulation, spec.dram),
        port(simulation, spec.llb.fill_bytes_per_cycle) {
    const std::array<const char*, 4> names{"a", "b", "z", "drain"};
    const std::array<Tensor, 3> tensors{Tensor::a, Tensor::b, Tensor::z_partial};
    const std::array<double, 3> shares{spec.llb.shares.a, spec.llb.shares.b, spec.llb.shares.z};
    const std::array<unsigned, 4> ranks{2, 3, 1, 0};  // as the machine gives them
    for (const std::size_t part : order) {
      const MemoryClient client{dram, ranks[part], spec.dram.chunk.count(), spec.dram.outstanding};
      const FillPort fill{spec.fills_pass_a_port() ? &port : nullptr, ranks[part]};
      if (part == 3) {
        drain = std::make_unique<DrainModule>(names[part], simulation, client, fill);
      } else {
        const auto share = static_cast<std::uint64_t>(
            shares[part] * static_cast<double>(spec.llb.capacity.count()));
        streams[part] =
            std::make_unique<StreamModule>(names[part], simulation, tensors[part], share, client,
                                           std::vector{StreamSink{nullptr, fill}});
      }
    }
    for (const bool now : {cluster_first, !cluster_first}) {
      if (now) {
        cluster =
            std::make_unique<ClusterModule>("pes", simulation, spec, program, *streams[0],
                                            *streams[1], *streams[2], *drain, rows, nullptr, false);
      } else {
        sequencer = std::make_unique<SequencerModule>("sequencer", simulation, program, spec.llb,
                                                      *streams[0], *streams[1], *streams[2], rows);
      }
    }
  }
};

}  // namespace

TEST_CASE("the order in which modules are made changes no cycle, no byte and no stall") {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    const RandomRun run = random_run(seed);
    INFO(run.text);
    const ProductOperands operands(run.a, run.b_transposed, run.spec.microtile);
    const MachineStatistics s = simulate(run.spec, operands, run.tiles).statistics;
    std::array<std::size_t, 4> order{0, 1, 2, 3};
    do {
      for (const bool cluster_first : {false, true}) {
        CAPTURE(order, cluster_first);
        ExtensorProgram program(operands, run.spec, run.tiles);
        Blocks blocks(run.spec, program, order, cluster_first);
        blocks.simulation.run();
        REQUIRE(blocks.simulation.now() == s.cycles);
        REQUIRE(blocks.simulation.activations() == s.activations);
        const auto moved = blocks.dram.counts().moved;
        for (std::size_t t = 0; t < moved.size(); ++t) {
          const auto found = s.traffic.at("dram").find(std::string(kTensorNames[t]));
          const bool absent = found == s.traffic.at("dram").end();  // S, of a product that has none
          REQUIRE(absent == (Tensor(t) == Tensor::s));
          REQUIRE(moved[t] == (absent ? Moved{} : found->second));
        }
        check_same_stalls(blocks.cluster->pes().breakdown(sim::to_ticks(s.cycles)), s.stalls);
      }
    } while (std::next_permutation(order.begin(), order.end()));
  }
}

TEST_CASE("the order in which processes run changes nothing of a run") {
  for (std::uint64_t seed = 1; seed <= kMachines; ++seed) {
    const RandomRun run = random_run(seed);
    INFO(run.text);
    const ProductOperands operands(run.a, run.b_transposed, run.spec.microtile);
    const Fidelity fidelity = seed % 3 == 0 ? Fidelity::element : Fidelity::tile;
    const MachineStatistics plain =
        simulate(run.spec, operands, run.tiles, lacuna::test::at(fidelity)).statistics;
    for (std::uint64_t shuffle = 1; shuffle <= 5; ++shuffle) {
      CAPTURE(shuffle);
      RunOptions options = lacuna::test::at(fidelity);
      options.shuffle = shuffle;
      check_same_run(plain, simulate(run.spec, operands, run.tiles, options).statistics);
    }
  }
}

TEST_CASE("the order in which processes run changes nothing of a run with stalls either") {
  for (std::uint64_t seed = 1; seed <= kMachines; ++seed) {
    const RandomRun run = random_run(seed);
    INFO(run.text);
    const ProductOperands operands(run.a, run.b_transposed, run.spec.microtile);
    RunOptions options;
    options.stalls = {0.5, 1 + seed % 20, seed};
    const MachineStatistics plain = simulate(run.spec, operands, run.tiles, options).statistics;
    options.shuffle = seed;
    check_same_run(plain, simulate(run.spec, operands, run.tiles, options).statistics);
  }
}

TEST_CASE("the order in which processes run changes nothing of a run of MAC arrays") {
  FabricSpec spec;
  spec.dram.read_words = 10;
  spec.dram.write_words = 5;
  spec.dram.latency = Cycles(20);
  spec.dram.chunk = Bytes(50);
  spec.dram.outstanding = 2;
  spec.glb.capacity = Bytes(1 << 20);
  for (std::uint64_t seed = 1; seed <= kMachines; ++seed) {
    RandomStream random(seed, "steps");
    const std::uint64_t unit = 1 + random.below(60);
    Script script{{}, 40 * unit, 40 * unit, 3 * unit, 3 * unit, 2 * unit};
    for (std::uint64_t at = 1; at <= 40; ++at) {
      const double cycles = 0.25 * static_cast<double>(random.below(60));
      script.steps.push_back({at * unit, cycles, random.below(2) * unit, unit, at * unit, unit});
      script.steps.back().written_words = static_cast<double>(random.below(2) * unit);
    }
    spec.glb.write_words_per_cycle = seed % 3 == 0 ? 0 : 6;
    spec.dram.shared = seed % 2 == 0;
    const auto run = [&](std::optional<std::uint64_t> shuffle) {
      ArrayRunOptions options;
      options.shuffle = shuffle;
      return run_script(spec, script, options);
    };
    CAPTURE(seed);
    const ArrayRun plain = run(std::nullopt);
    for (std::uint64_t shuffle = 1; shuffle <= 5; ++shuffle) {
      const ArrayRun other = run(shuffle);
      REQUIRE(other.cycles == plain.cycles);
      REQUIRE(other.wait_a == plain.wait_a);
      REQUIRE(other.wait_b == plain.wait_b);
      REQUIRE(other.wait_z == plain.wait_z);
      REQUIRE(other.wait_port == plain.wait_port);
      REQUIRE(other.fill == plain.fill);
      REQUIRE(other.activations == plain.activations);
      REQUIRE(other.meters.high_water == plain.meters.high_water);
    }
  }
}
