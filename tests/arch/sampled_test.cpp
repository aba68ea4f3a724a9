// SPDX-License-Identifier: Apache-2.0
// Sampled products (SDDMM): are exactly the products at S's places made, is everything that moves
// for them counted, and does a sparser S never cost more?
#include "sparse_formats/product_check.hpp"
#include "tests/arch/random_runs.hpp"
#include "tests/arch/rowwise.hpp"
#include "tests/arch/same_run.hpp"

using namespace lacuna;
using lacuna::test::at;
using lacuna::test::dram_reads;
using lacuna::test::dram_writes;
using lacuna::test::random_operand;
using lacuna::test::random_run;
using lacuna::test::RandomRun;

namespace {

constexpr std::uint64_t kSampledRuns = 150;

OutputSamples drawn_samples(std::uint64_t seed, Coordinate rows, Coordinate cols) {
  RandomStream random(seed, "samples");
  OutputSamples samples{random_operand(random, rows, cols), random.below(2) == 0};
  if (samples.ones) samples.places.values.clear();
  return samples;
}

/// Each place stays with probability `kept`.
OutputSamples fewer(const OutputSamples& samples, double kept, std::uint64_t seed) {
  RandomStream random(seed, "fewer samples");
  OutputSamples out = samples;
  out.places = CsrMatrix{samples.places.rows, samples.places.cols, {0}, {}, {}};
  for (Coordinate row = 0; row < samples.places.rows; ++row) {
    const auto columns = samples.places.cols_of(row);
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (random.uniform() >= kept) continue;
      out.places.columns.push_back(columns[i]);
      if (!samples.ones) out.places.values.push_back(samples.places.values_of(row)[i]);
    }
    out.places.offsets.push_back(out.places.columns.size());
  }
  return out;
}

RunOutcome simulate_sampled(const RandomRun& run, const OutputSamples& samples,
                            const RunOptions& options) {
  const ProductOperands operands(run.a, run.b_transposed, run.spec.microtile, &samples);
  return test::simulate(run.spec, operands, run.tiles, options);
}

RandomRun sampled_run(std::uint64_t seed) {
  RandomRun run = random_run(seed);
  run.spec.microtile.n0 = std::min<std::uint32_t>(run.spec.microtile.n0, kMaxFiber);
  return run;
}

void check_sampled(const MachineStatistics& s, const SampledCounts& exact,
                   const OutputSamples& samples) {
  REQUIRE(s.macs_effectual == exact.multiplies);
  REQUIRE(s.z_nonzeros == exact.outputs);
  REQUIRE(s.adds == exact.multiplies - exact.outputs);
  REQUIRE(s.actions.at("multiplier").at("compute") ==
          exact.multiplies + (samples.ones ? 0 : exact.outputs));
}

std::uint64_t bytes_of(const MachineStatistics& s) {
  std::uint64_t bytes = 0;
  for (const auto& [tensor, moved] : s.traffic.at("dram"))
    bytes += moved.read_bytes + moved.write_bytes;
  return bytes;
}

/// Gamma with a few elements and little room.
RowwiseSpec small_merging(std::uint64_t seed) {
  RandomStream random(seed, "small merging");
  const auto pick = [&](std::initializer_list<const char*> values) {
    return std::string(values.begin()[random.below(values.size())]);
  };
  return test::rowwise(
      "gamma",
      {"levels.pe.instances=" + pick({"1", "2", "8"}),
       "units.merge.radix=" + pick({"2", "3", "64"}),
       "levels.fiber-cache.capacity=" + pick({"512B", "3MiB"}), "levels.fiber-cache.holds.B.ways=4",
       "levels.fiber-cache.holds.Z.ways=4", "levels.pe.capacity=" + pick({"64B", "8KiB"}),
       "memory.bandwidth=" + pick({"3 B/cycle", "40 B/cycle"}),
       "memory.latency=" + pick({"0 cycles", "50 cycles"})});
}

}  // namespace

// 4 x 4 by microtiles of 2: S has (0,0), (0,1), (3,3); A is dense, B has rows 0 and 1 alone.
TEST_CASE("only tiles and places that S has are fetched, met and multiplied, counted by hand") {
  const MachineSpec spec =
      test::machine("extensor-n", {"tiling.microtile={m0: 2, k0: 2, n0: 2}",
                                   "dataflow.partition.K1=64", "dataflow.partition.N1=96"});
  const CsrMatrix a = test::random_matrix(4, 4, 1, 1);
  const CsrMatrix b =
      from_entries(4, 4, {{0, 0, 1}, {0, 3, 2}, {1, 0, 3}, {1, 1, 4}, {1, 2, 5}, {1, 3, 6}}, false);
  const OutputSamples samples{from_entries(4, 4, {{0, 0, 2}, {0, 1, 3}, {3, 3, 5}}, false), false};
  const ProductOperands operands(a, transpose(b), spec.microtile, &samples);
  const RunOutcome run = test::simulate(spec, operands, {2, 2, 2}, at(Fidelity::tile, true));
  const MachineStatistics& s = run.statistics;
  // (0,0) has two products, (0,1) one, (3,3) two; each output is multiplied by S once.
  CHECK(s.macs_effectual == 5);
  CHECK(s.z_nonzeros == 3);
  CHECK(s.actions.at("multiplier").at("compute") == 5 + 3);
  // Two of A's four microtiles, those of K1 0: 8 + 2 x 8 + 4 x 12 bytes each.
  CHECK(dram_reads(s, "A") == 2 * 72);
  // S: microtiles (0,0) and (1,1), of a row each, of two nonzeros and one.
  CHECK(dram_reads(s, "S") == 2 * (8 + 8) + 3 * 12);
  CHECK(dram_writes(s, "Z") == 3 * 16);
  CHECK(s.iterations.at("N1") == 2);
  CHECK(s.iterations.at("K1") == 2);
  CHECK(s.iterations.at("M0") == 2);
  CHECK(s.iterations.at("N0") == 3);
  CHECK(check_product(*run.product, a, b, &samples).passed);
  const CsrMatrix& z = *run.product;
  CHECK(z.values_of(0)[0] == test::Approx(2 * (a.values_of(0)[0] * 1 + a.values_of(0)[1] * 3)));
}

TEST_CASE("a mask of ones is stored without values and multiplies nothing") {
  RandomRun run = sampled_run(3);
  run.spec = test::machine("extensor-n", {"tiling.microtile={m0: 16, k0: 16, n0: 16}"});
  run.a = test::random_matrix(40, 50, 0.5, 1);
  run.b_transposed = test::random_matrix(30, 50, 0.5, 2);
  run.tiles = {2, 8, 8};
  OutputSamples samples{test::random_matrix(40, 30, 0.3, 3), false};
  const auto weighted = simulate_sampled(run, samples, at(Fidelity::tile)).statistics;
  samples.ones = true;
  const auto mask = simulate_sampled(run, samples, at(Fidelity::tile)).statistics;
  CHECK(dram_reads(weighted, "S") - dram_reads(mask, "S") == 8 * samples.places.nnz());
  CHECK(mask.actions.at("multiplier").at("compute") == mask.macs_effectual);
  CHECK(mask.cycles <= weighted.cycles);
}

TEST_CASE("microtiles with more columns than a fiber has places cannot be sampled") {
  RandomRun run = sampled_run(3);
  run.spec.microtile.n0 = 129;
  const OutputSamples samples = drawn_samples(1, run.a.rows, run.b_transposed.rows);
  CHECK_THAT(test::error_of([&] { (void)simulate_sampled(run, samples, at(Fidelity::tile)); }),
             test::contains("microtiles of 129 columns"));
}

TEST_CASE("random sampled products: the reference's, both fidelities count the same") {
  for (std::uint64_t seed = 1; seed <= kSampledRuns; ++seed) {
    const RandomRun run = sampled_run(seed);
    const OutputSamples samples = drawn_samples(seed, run.a.rows, run.b_transposed.rows);
    INFO(run.text << "\nS " << samples.places.nnz() << (samples.ones ? " ones" : ""));
    const RunOutcome tile = simulate_sampled(run, samples, at(Fidelity::tile, true));
    const RunOutcome element = simulate_sampled(run, samples, at(Fidelity::element));
    const RunOutcome counted = simulate_sampled(run, samples, at(Fidelity::tile));
    test::check_same_counts(tile.statistics, element.statistics);
    test::check_same_counts(tile.statistics, counted.statistics);
    check_sampled(tile.statistics, sampled_counts(run.a, run.b_transposed, samples), samples);
    const ProductCheck check =
        check_product(*tile.product, run.a, transpose(run.b_transposed), &samples);
    INFO(check.problem);
    REQUIRE(check.passed);
    REQUIRE(tile.product->columns == element.product->columns);
  }
}

TEST_CASE("a sparser S costs an ExTensor no more multiplies, comparisons or bytes") {
  for (std::uint64_t seed = 1; seed <= kSampledRuns; ++seed) {
    const RandomRun run = sampled_run(seed);
    const OutputSamples all = drawn_samples(seed, run.a.rows, run.b_transposed.rows);
    const OutputSamples some = fewer(all, seed % 2 == 0 ? 0.9 : 0.3, seed);
    INFO(run.text << "\nS " << all.places.nnz() << ", then " << some.places.nnz());
    const MachineStatistics x = simulate_sampled(run, all, at(Fidelity::tile)).statistics;
    const MachineStatistics y = simulate_sampled(run, some, at(Fidelity::tile)).statistics;
    CHECK(y.macs_effectual <= x.macs_effectual);
    CHECK(y.actions.at("intersect_k0").at("try") <= x.actions.at("intersect_k0").at("try"));
    CHECK(y.actions.at("intersect_k1").at("try") <= x.actions.at("intersect_k1").at("try"));
    CHECK(bytes_of(y) <= bytes_of(x));
    // Pairs that come earlier can take a place that a longer one then waits for, and requests come
    // in another order (extensor_monotone_test.cpp).
    const DramSpec& dram = run.spec.dram;
    const double request = static_cast<double>(dram.latency.count()) +
                           static_cast<double>(dram.chunk.count()) / dram.bytes_per_cycle;
    CHECK(static_cast<double>(y.cycles.count()) <=
          static_cast<double>(x.cycles.count()) * 1.1 + request);
  }
}

TEST_CASE("random sampled products on a machine that merges rows, in both fidelities") {
  for (std::uint64_t seed = 1; seed <= kSampledRuns; ++seed) {
    RandomStream random(seed, "sampled rows");
    const Coordinate m = 1 + static_cast<Coordinate>(random.below(40));
    const Coordinate k = 1 + static_cast<Coordinate>(random.below(60));
    const Coordinate n = 1 + static_cast<Coordinate>(random.below(50));
    const CsrMatrix a = random_operand(random, m, k), b = random_operand(random, k, n);
    const OutputSamples samples = drawn_samples(seed, m, n);
    const RowwiseSpec spec = small_merging(seed);
    INFO("seed " << seed);
    const auto tile = test::multiply(spec, a, b, at(Fidelity::tile, true), &samples);
    const auto element = test::multiply(spec, a, b, at(Fidelity::element), &samples);
    const MachineStatistics& s = tile.outcome.statistics;
    REQUIRE(s.macs_effectual == element.outcome.statistics.macs_effectual);
    REQUIRE(s.adds == element.outcome.statistics.adds);
    REQUIRE(dram_reads(s, "S") == dram_reads(element.outcome.statistics, "S"));
    REQUIRE(dram_reads(s, "A") == dram_reads(element.outcome.statistics, "A"));
    const SampledCounts exact = sampled_counts(a, transpose(b), samples);
    check_sampled(s, exact, samples);
    REQUIRE(dram_writes(s, "Z") == 12 * exact.outputs + 4 * m);
    REQUIRE(s.actions.at("merge").at("merge") == tile.totals.merged);
    REQUIRE(dram_reads(s, "S") == tile.totals.sample_bytes);
    REQUIRE(check_product(*tile.outcome.product, a, b, &samples).passed);
    REQUIRE(tile.outcome.product->values == element.outcome.product->values);
  }
}

// Row 0 of S is empty, row 1 has the place (1,2).
TEST_CASE("a merging machine skips rows that S has nothing in and drops what S does not have") {
  const RowwiseSpec spec = test::rowwise("gamma", {"levels.pe.instances=1"});
  const CsrMatrix a = from_entries(2, 2, {{0, 0, 1}, {0, 1, 1}, {1, 0, 2}, {1, 1, 3}}, false);
  const CsrMatrix b = from_entries(2, 3, {{0, 0, 1}, {0, 2, 4}, {1, 2, 5}}, false);
  const OutputSamples samples{from_entries(2, 3, {{1, 2, 10}}, false), false};
  const auto run = test::multiply(spec, a, b, at(Fidelity::tile, true), &samples);
  const MachineStatistics& s = run.outcome.statistics;
  CHECK(s.macs_effectual == 2);
  CHECK(run.totals.merged == 3);
  CHECK(run.totals.dropped == 1);
  CHECK(run.totals.scaled == 1);
  CHECK(dram_reads(s, "A") == 2 * 4 + 2 * 12);
  CHECK(dram_reads(s, "B") == 2 * 4 + 3 * 12);
  CHECK(dram_reads(s, "S") == 2 * 4 + 12);
  CHECK(dram_writes(s, "Z") == 2 * 4 + 12);
  CHECK(run.outcome.product->values == std::vector<double>{10 * (2 * 4 + 3 * 5)});
}

TEST_CASE("a sparser S costs a merging machine no more multiplies, merging or bytes") {
  for (std::uint64_t seed = 1; seed <= kSampledRuns; ++seed) {
    RandomStream random(seed, "sparser rows");
    const CsrMatrix a = test::random_matrix(40, 60, 0.2, seed);
    const CsrMatrix b = test::random_matrix(60, 50, 0.2, seed + 1000);
    const OutputSamples all = drawn_samples(seed, 40, 50);
    const OutputSamples some = fewer(all, seed % 2 == 0 ? 0.9 : 0.3, seed);
    const RowwiseSpec spec = test::rowwise("gamma", {"units.merge.radix=4"});
    INFO("seed " << seed);
    const auto x = test::multiply(spec, a, b, {}, &all).outcome.statistics;
    const auto y = test::multiply(spec, a, b, {}, &some).outcome.statistics;
    CHECK(y.macs_effectual <= x.macs_effectual);
    CHECK(y.actions.at("merge").at("merge") <= x.actions.at("merge").at("merge"));
    CHECK(bytes_of(y) <= bytes_of(x));
    CHECK(static_cast<double>(y.cycles.count()) <=
          static_cast<double>(x.cycles.count()) * 1.02 + 100);
  }
}
