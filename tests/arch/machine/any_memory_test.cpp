// SPDX-License-Identifier: Apache-2.0
// Is what a machine counts the same before any memory: one that answers late, in bursts, out of
// order? Are all bytes of a tensor asked for at addresses where that tensor is stored?
#include "sparse_formats/reference_product.hpp"
#include "tests/arch/mapped_memory.hpp"
#include "tests/arch/memory/dram_devices.hpp"
#include "tests/arch/memory/moody_memory.hpp"
#include "tests/arch/random_runs.hpp"
#include "tests/arch/same_run.hpp"
#include "tests/arch/scripted.hpp"

using namespace lacuna;
using lacuna::test::dense_from;
using lacuna::test::Mapped;
using namespace lacuna::test;

namespace {

MemoryFactory moody(std::uint64_t longest, std::uint64_t seed) {
  return [=](const std::string& name, sim::Simulation& simulation, const DramSpec& spec) {
    return std::make_unique<MoodyMemory>(name.c_str(), simulation, spec.bytes_per_cycle, longest,
                                         seed);
  };
}

Mapped::Log addresses_of(const RandomRun& run, const ProductOperands& operands) {
  Mapped::Log log;
  RunOptions options;
  options.memory = [&](const std::string& name, sim::Simulation& simulation, const DramSpec& spec) {
    return std::make_unique<Mapped>(make_memory({}, name, simulation, spec), log);
  };
  (void)simulate(run.spec, operands, run.tiles, options);
  return log;
}

}  // namespace

TEST_CASE("random runs: a memory that answers late and out of order changes no count") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    const RandomRun run = random_run(seed);
    INFO(run.text);
    const ProductOperands operands(run.a, run.b_transposed, run.spec.microtile);
    const RunOutcome fixed =
        simulate(run.spec, operands, run.tiles, lacuna::test::at(Fidelity::tile, true));
    RunOptions options = lacuna::test::at(Fidelity::tile, true);
    options.memory = moody(1 + seed % 500, seed);
    const RunOutcome other = simulate(run.spec, operands, run.tiles, options);
    check_same_counts(fixed.statistics, other.statistics);
    REQUIRE(fixed.product->columns == other.product->columns);
    REQUIRE(fixed.product->values == other.product->values);
    options.shuffle = seed;
    check_same_run(other.statistics, simulate(run.spec, operands, run.tiles, options).statistics);
  }
}

TEST_CASE(
    "random runs: banks and rows of memory change no count, and no order of waking the time") {
  const char* const types[] = {"ddr4-3200", "lpddr4-3200", "lpddr5-6400", "hbm2", "hbm3"};
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    RandomRun run = random_run(seed);
    INFO(run.text);
    const ProductOperands operands(run.a, run.b_transposed, run.spec.microtile);
    const RunOutcome fixed = simulate(run.spec, operands, run.tiles);
    DramSpec& dram = run.spec.dram;
    dram.banked = lacuna::test::banked(
        fmt::format("{{type: {}, channels: {}}}", types[seed % 5], 1 + seed % 3), run.spec.clock);
    dram.bytes_per_cycle =
        static_cast<double>(dram.banked->channels) * dram.banked->device.rate(run.spec.clock);
    const RunOutcome other = simulate(run.spec, operands, run.tiles);
    check_same_counts(fixed.statistics, other.statistics);
    const BankUse& banks = other.statistics.meters.banks.value();
    CHECK(banks.row_hits + banks.row_misses + banks.row_conflicts == banks.bursts);
    CHECK(achieved_dram_bandwidth(other.statistics) <= dram.bytes_per_cycle);
    RunOptions options;
    options.shuffle = seed;
    check_same_run(other.statistics, simulate(run.spec, operands, run.tiles, options).statistics);
  }
}

TEST_CASE("banks of a last-level buffer change no count and cost time") {
  std::size_t slower = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    RandomRun run = random_run(seed);
    INFO(run.text);
    const ProductOperands operands(run.a, run.b_transposed, run.spec.microtile);
    const RunOutcome alone = simulate(run.spec, operands, run.tiles);
    run.spec.llb.contended_banks = true;
    run.spec.llb.banks = 1 + static_cast<unsigned>(seed % 4);
    const RunOutcome with = simulate(run.spec, operands, run.tiles);
    check_same_counts(alone.statistics, with.statistics);
    // A wait lets another unit's request reach memory first, which now and then ends sooner.
    CHECK(static_cast<double>(with.statistics.cycles.count()) >=
          0.97 * static_cast<double>(alone.statistics.cycles.count()));
    if (with.statistics.cycles > alone.statistics.cycles) ++slower;
    RunOptions options;
    options.shuffle = seed;
    check_same_run(with.statistics, simulate(run.spec, operands, run.tiles, options).statistics);
  }
  CHECK(slower > 10);
}

TEST_CASE("fewer banks of a last-level buffer take longer") {
  MachineSpec spec = machine("extensor-ob", {"buffers.llb.capacity=64KiB",
                                             "buffers.llb.window=2KiB", "buffers.llb.line=64B"});
  const CsrMatrix a = random_matrix(400, 400, 0.05, 1);
  const ProductOperands operands(a, a, spec.microtile);
  const auto cycles = [&] { return simulate(spec, operands, {1, 1, 1}).statistics.cycles; };
  const Cycles alone = cycles();
  Cycles before = alone;
  spec.llb.contended_banks = true;
  for (const unsigned banks : {4096U, 16U, 4U, 1U}) {
    spec.llb.banks = banks;
    const Cycles now = cycles();
    // Who waits may come to memory behind another one: half a percent either way.
    CHECK(200 * now.count() >= 199 * before.count());
    before = now;
  }
  CHECK(10 * before.count() > 11 * alone.count());
}

TEST_CASE("MAC arrays move the same bytes before any memory") {
  FabricSpec spec;
  spec.dram.read_words = spec.dram.write_words = 10;
  spec.dram.chunk = Bytes(50);
  spec.dram.outstanding = 3;
  spec.glb.capacity = Bytes(1 << 20);
  Script script{{}, 4000, 4000, 300, 300, 100};
  for (std::uint64_t at = 1; at <= 40; ++at) {
    script.steps.push_back({at * 100, 7.5, 60, 100, at * 100, 100});
  }
  const auto run = [&](const MemoryFactory& memory) {
    ArrayRunOptions options;
    options.memory = memory;
    return run_script(spec, script, options);
  };
  const ArrayRun fixed = run({});
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const ArrayRun other = run(moody(1 + 40 * seed, seed));
    CHECK(other.instructions == fixed.instructions);
    CHECK(other.dram_a == fixed.dram_a);
    CHECK(other.dram_b == fixed.dram_b);
    CHECK(other.dram_z == fixed.dram_z);
    CHECK(other.busy == fixed.busy);
  }
}

TEST_CASE("operands are read where they are stored, outputs written once and side by side") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const RandomRun run = random_run(seed);
    if (run.a.nnz() * run.b_transposed.nnz() > 100'000) continue;
    INFO(run.text);
    const ProductOperands operands(run.a, run.b_transposed, run.spec.microtile);
    const Mapped::Log log = addresses_of(run, operands);
    const auto& read = log.read;
    const auto& written = log.written;
    // Each output leaves for good exactly once, and together they leave no hole.
    const Mapped::Seen& z = written[static_cast<std::size_t>(Tensor::z)];
    REQUIRE(dense_from(z, kFixedRegions.of(Tensor::z)));
    for (const auto& [address, times] : z) REQUIRE(times == 1);
    // Partial outputs return from where they were written, in the place of their outputs.
    const Mapped::Seen& back = read[static_cast<std::size_t>(Tensor::z_partial)];
    REQUIRE(back == written[static_cast<std::size_t>(Tensor::z_partial)]);
    for (const auto& [address, times] : back) REQUIRE(z.count(address) == 1);
    // B lies tile by tile; A has no more bytes than its rows take.
    const Mapped::Seen& b = read[static_cast<std::size_t>(Tensor::b)];
    REQUIRE((b.empty() || b.begin()->first >= kFixedRegions.of(Tensor::b)));
    const Mapped::Seen& a = read[static_cast<std::size_t>(Tensor::a)];
    REQUIRE((a.empty() || a.rbegin()->first < kRegionBytes));
  }
}

TEST_CASE("without reuse lost, each byte of an operand is read at its own address") {
  const MachineSpec spec = machine("extensor");
  const CsrMatrix a = random_matrix(300, 260, 0.05, 1), bt = random_matrix(280, 260, 0.05, 2);
  RandomRun run{spec, a, bt, {1, 1, 3}, "one stripe"};
  const ProductOperands operands(run.a, run.b_transposed, spec.microtile);
  const Mapped::Log log = addresses_of(run, operands);
  for (const Tensor tensor : {Tensor::a, Tensor::b}) {
    const Mapped::Seen& seen = log.read[static_cast<std::size_t>(tensor)];
    CHECK(dense_from(seen, kFixedRegions.of(tensor)));
    for (const auto& [address, times] : seen) REQUIRE(times == 1);
  }
}
