// SPDX-License-Identifier: Apache-2.0
// Do the invariants of a run hold on random machines and operands: the product is the reference's,
// both fidelities count the same, what leaves a level enters its neighbour, and timing never
// changes a count?
#include "tests/arch/random_runs.hpp"

#include <cmath>

#include "base/units.hpp"
#include "sparse_formats/reference_product.hpp"
#include "tests/arch/same_run.hpp"

using namespace lacuna;
using lacuna::test::at;
using lacuna::test::check_same_counts;
using lacuna::test::random_run;
using lacuna::test::RandomRun;
using lacuna::test::simulate;

namespace {

constexpr std::uint64_t kRuns = 200;

void check_product(const CsrMatrix& product, const CsrMatrix& reference) {
  REQUIRE(product.offsets == reference.offsets);
  REQUIRE(product.columns == reference.columns);
  double largest = 0, difference = 0;
  for (std::size_t i = 0; i < product.values.size(); ++i) {
    largest = std::max(largest, std::abs(reference.values[i]));
    difference = std::max(difference, std::abs(product.values[i] - reference.values[i]));
  }
  REQUIRE(difference <= 1e-12 * largest);
}

std::uint64_t spent(const StallBreakdown& b) {
  return b.busy + b.wait_a + b.wait_b + b.wait_intersect + b.wait_network + b.wait_output +
         b.imbalance + b.drain;
}

void check_conservation(const RandomRun& run, const MachineStatistics& s) {
  const auto& dram = s.traffic.at("dram");
  const auto& llb = s.traffic.at("llb");
  REQUIRE(llb.at("A").write_bytes == dram.at("A").read_bytes);
  REQUIRE(llb.at("B").write_bytes == dram.at("B").read_bytes);
  REQUIRE(dram.at("A").write_bytes == 0);
  REQUIRE(dram.at("B").write_bytes == 0);
  REQUIRE(dram.at("Z").read_bytes == 0);
  REQUIRE(dram.at("Z_partial").read_bytes == dram.at("Z_partial").write_bytes);
  REQUIRE(dram.at("Z").write_bytes == run.spec.formats.z_nonzero_bytes * s.z_nonzeros);
  std::uint64_t read = 0, written = 0;
  for (const auto& [tensor, moved] : dram) {
    read += moved.read_bytes;
    written += moved.write_bytes;
  }
  REQUIRE(s.actions.at("dram").at("read_bits") == 8 * read);
  REQUIRE(s.actions.at("dram").at("write_bits") == 8 * written);
  REQUIRE(s.macs_effectual == s.adds + s.z_nonzeros);
  // Into the buffer: what memory brings, outputs, and spilled parts of the elements, each rounded
  // up to lines; the elements take at least the bytes that they get.
  const std::uint64_t line = run.spec.llb.line.count();
  const auto& spill = s.traffic.at("peb_spill");
  REQUIRE(s.actions.at("llb").at("write") == ceil_div(read, line) + ceil_div(written, line) +
                                                 ceil_div(spill.at("Z").write_bytes, line));
  const std::uint64_t others =
      ceil_div(written, line) + ceil_div(dram.at("Z_partial").read_bytes, line) +
      ceil_div(spill.at("Z").read_bytes, line) + ceil_div(spill.at("A+B").read_bytes, line);
  const std::uint64_t to_elements = s.actions.at("llb").at("read") - others;
  REQUIRE(to_elements * line >= llb.at("A").read_bytes + llb.at("B").read_bytes);
  REQUIRE(to_elements <=
          (llb.at("A").read_bytes + llb.at("B").read_bytes) / line + 2 * s.iterations.at("K1"));
  REQUIRE(spent(s.stalls) == s.cycles.count() * run.spec.pes.count);
  std::uint64_t busy = 0;
  for (const std::uint64_t pe : s.pe_busy) busy += pe;
  REQUIRE(busy == s.actions.at("intersect_k0").at("try") +
                      s.iterations.at("K1") * run.spec.pes.pair_overhead.count());
}

}  // namespace

TEST_CASE("random runs: the product is the reference's and every byte is accounted for") {
  for (std::uint64_t seed = 1; seed <= kRuns; ++seed) {
    const RandomRun run = random_run(seed);
    INFO(run.text);
    const ProductOperands operands(run.a, run.b_transposed, run.spec.microtile);
    const CsrMatrix b = transpose(run.b_transposed);
    const SpgemmCounts exact = spgemm_counts(run.a, b);
    const RunOutcome outcome = simulate(run.spec, operands, run.tiles, at(Fidelity::tile, true));
    check_product(*outcome.product, reference_product(run.a, b));
    REQUIRE(outcome.statistics.macs_effectual == exact.multiplies);
    REQUIRE(outcome.statistics.z_nonzeros == exact.nnz);
    check_conservation(run, outcome.statistics);
  }
}

// Stepping coordinate by coordinate starts a pair when its first fiber has arrived; counting starts
// it when all has. So the element fidelity can end earlier by what pairs overlap with their own
// transfer, and differ a little where that changes which element is free first.
TEST_CASE("random runs: both fidelities count the same and agree in time") {
  for (std::uint64_t seed = 1; seed <= kRuns; ++seed) {
    const RandomRun run = random_run(seed);
    INFO(run.text);
    const ProductOperands operands(run.a, run.b_transposed, run.spec.microtile);
    const RunOutcome tile = simulate(run.spec, operands, run.tiles, at(Fidelity::tile));
    const RunOutcome element = simulate(run.spec, operands, run.tiles, at(Fidelity::element));
    check_same_counts(tile.statistics, element.statistics);
    check_conservation(run, element.statistics);
    check_product(*element.product, reference_product(run.a, transpose(run.b_transposed)));
    // Bound: the transfer of each pair is hidden at most once.
    const auto& llb = tile.statistics.traffic.at("llb");
    const auto& spill = tile.statistics.traffic.at("peb_spill").at("A+B");
    const double moved =
        static_cast<double>(llb.at("A").read_bytes + llb.at("B").read_bytes + spill.read_bytes) /
        run.spec.llb.bytes_per_cycle;
    const double by_tile = static_cast<double>(tile.statistics.cycles.count());
    const double by_element = static_cast<double>(element.statistics.cycles.count());
    CAPTURE(by_tile, by_element, moved);
    CHECK(std::abs(by_tile - by_element) <= moved + 1);
  }
}

TEST_CASE("random runs: stalls change neither the product nor a single count") {
  for (std::uint64_t seed = 1; seed <= kRuns; ++seed) {
    const RandomRun run = random_run(seed);
    INFO(run.text);
    const ProductOperands operands(run.a, run.b_transposed, run.spec.microtile);
    const RunOutcome plain = simulate(run.spec, operands, run.tiles, at(Fidelity::tile, true));
    RunOptions options = at(seed % 2 == 0 ? Fidelity::tile : Fidelity::element, true);
    options.stalls = {0.5, 1 + seed % 300, seed};
    const RunOutcome stalled = simulate(run.spec, operands, run.tiles, options);
    check_same_counts(plain.statistics, stalled.statistics);
    check_product(*stalled.product, *plain.product);
    if (seed % 5 != 0) continue;
    const RunOutcome again = simulate(run.spec, operands, run.tiles, options);
    REQUIRE(again.statistics.cycles == stalled.statistics.cycles);
    REQUIRE(again.statistics.pe_busy == stalled.statistics.pe_busy);
  }
}

TEST_CASE("random runs: the same run twice gives the same cycles, stalls and loads") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    const RandomRun run = random_run(seed);
    INFO(run.text);
    const ProductOperands operands(run.a, run.b_transposed, run.spec.microtile);
    const MachineStatistics x = simulate(run.spec, operands, run.tiles).statistics;
    const MachineStatistics y = simulate(run.spec, operands, run.tiles).statistics;
    check_same_counts(x, y);
    REQUIRE(x.cycles == y.cycles);
    REQUIRE(x.pe_busy == y.pe_busy);
    REQUIRE(x.activations == y.activations);
    REQUIRE(x.stalls.wait_b == y.stalls.wait_b);
    REQUIRE(x.stalls.drain == y.stalls.drain);
  }
}

TEST_CASE("requests of a single byte, and of more than any share, move the same bytes") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    RandomRun run = random_run(seed);
    if (run.a.nnz() * run.b_transposed.nnz() > 100'000) continue;
    INFO(run.text);
    const ProductOperands operands(run.a, run.b_transposed, run.spec.microtile);
    const MachineStatistics plain = simulate(run.spec, operands, run.tiles).statistics;
    for (const std::uint64_t chunk : {std::uint64_t{1}, std::uint64_t{1} << 30}) {
      run.spec.dram.chunk = Bytes(chunk);
      const MachineStatistics s = simulate(run.spec, operands, run.tiles).statistics;
      check_same_counts(plain, s);
      check_conservation(run, s);
    }
  }
}

TEST_CASE("a Z microtile too large to carry values is refused before memory is taken for it") {
  std::vector<Entry> diagonal;
  for (Coordinate i = 0; i < 60'000; ++i) diagonal.push_back({i, i, 1.0});
  const CsrMatrix a = from_entries(60'000, 60'000, diagonal, false);
  const MachineSpec spec =
      lacuna::test::machine("extensor", {"tiling.microtile={m0: 65535, k0: 128, n0: 65535}"});
  const ProductOperands operands(a, a, spec.microtile);
  CHECK_THROWS_AS(simulate(spec, operands, {1, 1, 1}, at(Fidelity::tile, true)), InputError);
}
