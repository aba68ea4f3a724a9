// SPDX-License-Identifier: Apache-2.0
// Row-wise products with a leader and followers: counts against the operands and against slow,
// obvious code, times against closed forms, and what a run must not depend on.
#include <algorithm>
#include <list>
#include <map>
#include <set>

#include "sparse_formats/encoding_fiber.hpp"
#include "sparse_formats/product_check.hpp"
#include "sparse_formats/reference_product.hpp"
#include "tests/arch/memory/moody_memory.hpp"
#include "tests/arch/rowwise.hpp"
#include "tests/arch/same_run.hpp"

using namespace lacuna;
using namespace lacuna::test;

namespace {

CsrMatrix from(Coordinate rows, Coordinate cols,
               const std::vector<std::pair<Coordinate, Coordinate>>& places) {
  std::vector<Entry> entries;
  for (const auto& [row, col] : places) entries.push_back({row, col, 1.0 + row + 2.0 * col});
  return from_entries(rows, cols, std::move(entries), false);
}

const std::vector<std::string> kSlowMemory{"memory.bandwidth=10 B/cycle",
                                           "memory.latency=7 cycles"};

std::vector<std::string> with(std::vector<std::string> settings,
                              const std::vector<std::string>& more) {
  settings.insert(settings.end(), more.begin(), more.end());
  return settings;
}

/// A machine of few elements and little room, of the family that merges.
std::vector<std::string> small(std::uint64_t seed) {
  RandomStream random(seed, "small machines");
  const auto pick = [&](std::initializer_list<const char*> values) {
    return std::string(values.begin()[random.below(values.size())]);
  };
  return {"levels.pe.instances=" + pick({"1", "2", "3", "8"}),
          "units.merge.radix=" + pick({"2", "3", "5", "64"}),
          "units.merge.per_cycle=" + pick({"1", "0.5", "3"}),
          "units.multiplier.pairs_in_flight=" + pick({"1", "2", "4"}),
          "levels.fiber-cache.capacity=" + pick({"512B", "2KiB", "3MiB"}),
          "levels.fiber-cache.line=" + pick({"8B", "64B"}),
          "levels.fiber-cache.holds.B.ways=4",
          "levels.fiber-cache.holds.Z.ways=4",
          "levels.fiber-cache.ports.read=" + pick({"unbounded", "20 B/cycle"}),
          "levels.fiber-cache.ports.write=" + pick({"unbounded", "24 B/cycle"}),
          "levels.pe.capacity=" + pick({"64B", "8KiB"}),
          "memory.bandwidth=" + pick({"3 B/cycle", "40 B/cycle"}),
          "memory.latency=" + pick({"0 cycles", "50 cycles"}),
          "memory.request=" + pick({"16B", "4KiB"})};
}

CsrMatrix skewed(std::uint64_t seed) {
  RandomStream random(seed, "skewed");
  std::vector<Entry> entries;
  const Coordinate n = 20 + static_cast<Coordinate>(random.below(40));
  for (Coordinate row = 0; row < n; ++row) {
    const double density = row % 7 == 0 ? 0.5 : 0.06 * random.uniform();
    for (Coordinate col = 0; col < n; ++col) {
      if (random.uniform() < density) entries.push_back({row, col, random.uniform() - 0.5});
    }
  }
  return from_entries(n, n, std::move(entries), false);
}

std::uint64_t bytes_of(const CsrMatrix& matrix, Coordinate row) {
  return 4 + 12 * matrix.cols_of(row).size();
}

void check_product_of(const RowwiseSpec& spec, const RunOutcome& outcome, const CsrMatrix& a,
                      const CsrMatrix& b) {
  const CsrMatrix z = spec.leader_is_b ? transpose(*outcome.product) : *outcome.product;
  const ProductCheck check = check_product(z, a, b);
  INFO(check.problem);
  REQUIRE(check.passed);
}

/// Everything that must not depend on time. What a cache fetches depends on whose turn it is.
void check_same_work(const RunOutcome& x, const RunOutcome& y) {
  for (const char* tensor : {"A", "Z"}) {
    REQUIRE(x.statistics.traffic.at("dram").at(tensor) ==
            y.statistics.traffic.at("dram").at(tensor));
  }
  REQUIRE(x.statistics.macs_effectual == y.statistics.macs_effectual);
  REQUIRE(x.statistics.adds == y.statistics.adds);
  REQUIRE(x.statistics.z_nonzeros == y.statistics.z_nonzeros);
  REQUIRE(x.statistics.iterations == y.statistics.iterations);
  REQUIRE(x.statistics.actions.at("merge") == y.statistics.actions.at("merge"));
}

}  // namespace

TEST_CASE("a row of two fibers takes its leader, its fibers, a merge and its outputs in turn") {
  const RowwiseSpec spec = rowwise("gamma", with(kSlowMemory, {"levels.pe.instances=1"}));
  const CsrMatrix a = from(1, 2, {{0, 0}, {0, 1}});
  const CsrMatrix b = from(2, 3, {{0, 0}, {0, 1}, {1, 1}, {1, 2}});
  const RunOutcome run = multiply(spec, a, b).outcome;
  const MachineStatistics& s = run.statistics;
  // The leader: 4 + 2 x 12 bytes, 2.8 cycles and 7. The fibers: 56 bytes, 5.6 cycles and 7 from
  // then on. Four nonzeros are merged in 4 cycles; 4 + 3 x 12 bytes of outputs take 4 and 7.
  CHECK(s.cycles == Cycles(10 + 13 + 4 + 11));
  CHECK(s.macs_effectual == 4);
  CHECK(s.adds == 1);
  CHECK(s.z_nonzeros == 3);
  CHECK(s.actions.at("merge").at("merge") == 4);
  CHECK(dram_reads(s, "A") == 28);
  CHECK(dram_reads(s, "B") == 56);
  CHECK(dram_writes(s, "Z") == 40);
  CHECK(s.stalls.wait_a == 10);
  CHECK(s.stalls.wait_b == 13);
  CHECK(s.stalls.busy == 4);
  CHECK(s.stalls.drain == 11);
}

TEST_CASE("a fiber that is there is not fetched again") {
  const RowwiseSpec spec = rowwise("gamma", with(kSlowMemory, {"levels.pe.instances=1"}));
  const CsrMatrix a = from(3, 2, {{0, 0}, {1, 0}, {2, 1}});
  const CsrMatrix b = from(2, 9, {{0, 0}, {0, 1}, {1, 1}, {1, 2}});
  const MachineStatistics s = multiply(spec, a, b).outcome.statistics;
  CHECK(dram_reads(s, "B") == 28 + 28);
  CHECK(s.traffic.at("fiber-cache").at("B").read_bytes == 3 * 28);
}

TEST_CASE("more fibers than the merger takes go through it again, as partial outputs") {
  const RowwiseSpec spec = rowwise("gamma", {"levels.pe.instances=4", "units.merge.radix=2"});
  // Five fibers of one nonzero each, all of one column: pairs (0 1) (2 3), then (01 23), then 4.
  const CsrMatrix a = from(1, 5, {{0, 0}, {0, 1}, {0, 2}, {0, 3}, {0, 4}});
  const CsrMatrix b = from(5, 3, {{0, 1}, {1, 1}, {2, 1}, {3, 1}, {4, 1}});
  const RowwiseRun run = multiply(spec, a, b, lacuna::test::at(Fidelity::tile, true));
  CHECK(run.totals.tasks == 4);
  CHECK(run.totals.merged == 2 + 2 + 2 + 2);
  CHECK(run.totals.partial_nonzeros == 3);
  CHECK(run.totals.adds == 4);
  CHECK(run.outcome.statistics.z_nonzeros == 1);
  const auto& partial = run.outcome.statistics.traffic.at("fiber-cache").at("Z_partial");
  CHECK(partial.write_bytes == 3 * 12);
  CHECK(partial.read_bytes == 3 * 12);
  CHECK(run.outcome.statistics.traffic.at("dram").at("Z_partial") == Moved{});
  check_product_of(spec, run.outcome, a, b);
}

TEST_CASE(
    "random runs: both fidelities count the same, and their product is that of the operands") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const CsrMatrix a = skewed(seed), b = skewed(seed % 3 == 0 ? seed : seed + 1000);
    const CsrMatrix square = a.cols == b.rows ? b : a;
    const RowwiseSpec spec = rowwise("gamma", small(seed));
    INFO("seed " << seed);
    const RowwiseRun tile = multiply(spec, a, square, lacuna::test::at(Fidelity::tile, true));
    const RowwiseRun element = multiply(spec, a, square, lacuna::test::at(Fidelity::element));
    check_product_of(spec, tile.outcome, a, square);
    check_same_work(tile.outcome, element.outcome);
    const SpgemmCounts exact = spgemm_counts(a, square);
    CHECK(tile.outcome.statistics.macs_effectual == exact.multiplies);
    CHECK(tile.outcome.statistics.z_nonzeros == exact.nnz);
    CHECK(dram_writes(tile.outcome.statistics, "Z") == 12 * exact.nnz + 4 * a.rows);
    CHECK(dram_reads(tile.outcome.statistics, "A") == 12 * a.nnz() + 4 * a.rows);
    const auto& partial = tile.outcome.statistics.traffic.at("dram").at("Z_partial");
    CHECK(partial.read_bytes == partial.write_bytes);
    const auto& level = tile.outcome.statistics.traffic.at("fiber-cache").at("Z_partial");
    CHECK(level.read_bytes == level.write_bytes);
    CHECK(level.read_bytes == 12 * tile.totals.partial_nonzeros);
  }
}

// However small the pieces that an element or a request cuts them into.
// Room for outputs is no multiple of their pieces here.
TEST_CASE("where outputs wait for one request at a time, the fidelities take as long") {
  const CsrMatrix a = random_matrix(100, 100, 0.1, 7);
  for (const char* const room : {"64B", "128B", "256B", "512B"}) {
    INFO(room);
    const RowwiseSpec spec = rowwise("gamma", {fmt::format("levels.pe.capacity={}", room),
                                               "memory.outstanding=1", "memory.latency=7 cycles"});
    const auto cycles = [&](Fidelity fidelity) {
      const Cycles end = multiply(spec, a, a, lacuna::test::at(fidelity)).outcome.statistics.cycles;
      return static_cast<double>(end.count());
    };
    const double tile = cycles(Fidelity::tile), element = cycles(Fidelity::element);
    CHECK(tile <= 1.05 * element);
    CHECK(element <= 1.05 * tile);
  }
}

TEST_CASE("partial outputs are written into the level line by line, counted once") {
  const CsrMatrix a = random_matrix(30, 60, 0.4, 5), b = random_matrix(60, 40, 0.3, 6);
  const std::vector<std::string> tiles{
      "dataflow.loops=[K1,M,K0,N]", "dataflow.partition={K0: 10}", "levels.fiber-cache.below=K1",
      "intersect={K0: {at: pe, kind: leader-follower, leader: A, per_cycle: unbounded}}"};
  const auto lines = [&](const char* room, const char* request, Fidelity fidelity) {
    const RowwiseSpec spec =
        rowwise("gamma", with(tiles, {fmt::format("levels.pe.capacity={}", room),
                                      fmt::format("memory.request={}", request)}));
    return multiply(spec, a, b, at(fidelity))
        .outcome.statistics.actions.at("fiber-cache")
        .at("write");
  };
  const std::uint64_t whole = lines("8 KiB", "4 KiB", Fidelity::tile);
  CHECK(lines("64 B", "4 KiB", Fidelity::tile) == whole);
  CHECK(lines("64 B", "4 KiB", Fidelity::element) == whole);
  CHECK(lines("8 KiB", "16 B", Fidelity::tile) == whole);
}

TEST_CASE("stepped time of merging is within a twentieth of the even one, and at worst a seventh") {
  std::vector<double> off;
  for (std::uint64_t seed = 1; seed <= 15; ++seed) {
    const CsrMatrix a = random_matrix(300, 300, 0.01 * static_cast<double>(1 + seed % 5), seed);
    const RowwiseSpec spec = rowwise("gamma", {"units.merge.radix=" + std::to_string(4 + seed)});
    const auto cycles = [&](Fidelity fidelity) {
      return static_cast<double>(
          multiply(spec, a, a, lacuna::test::at(fidelity)).outcome.statistics.cycles.count());
    };
    const double tile = cycles(Fidelity::tile);
    off.push_back(std::abs(cycles(Fidelity::element) / tile - 1));
  }
  std::sort(off.begin(), off.end());
  CHECK(off[off.size() / 2] <= 0.05);
  CHECK(off.back() <= 0.15);
}

TEST_CASE("neither the order of processes nor that of time changes what a row-wise run does") {
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    INFO("seed " << seed);
    const CsrMatrix a = skewed(seed);
    const RowwiseSpec spec = rowwise("gamma", small(seed));
    const RunOutcome plain = multiply(spec, a, a).outcome;
    RunOptions shuffled;
    shuffled.shuffle = seed;
    check_same_run(plain.statistics, multiply(spec, a, a, shuffled).outcome.statistics);
    RunOptions stalled;
    stalled.stalls = {0.3, 40, seed};
    check_same_work(plain, multiply(spec, a, a, stalled).outcome);
    RunOptions moody;
    moody.memory = [seed](const std::string& name, sim::Simulation& simulation,
                          const DramSpec& dram) {
      return std::make_unique<MoodyMemory>(name.c_str(), simulation, dram.bytes_per_cycle,
                                           1 + seed % 200, seed);
    };
    check_same_work(plain, multiply(spec, a, a, moody).outcome);
  }
}

TEST_CASE("the cache brings what a list of lines in the order of their use would miss") {
  // One element at a time asks in the order of the rows, so that the order is known.
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const CsrMatrix a = skewed(seed);
    const RowwiseSpec spec =
        rowwise("gamma", {"levels.pe.instances=1", "levels.fiber-cache.capacity=1KiB",
                          "levels.fiber-cache.holds.B.ways=0", "levels.fiber-cache.holds.Z.ways=0",
                          "units.merge.radix=1024"});
    std::list<std::pair<std::uint64_t, std::set<std::uint64_t>>> lines;  // with the bytes they have
    std::uint64_t missed = 0;
    const auto use = [&](std::uint64_t byte) {
      auto found = std::find_if(lines.begin(), lines.end(),
                                [&](const auto& line) { return line.first == byte / 64; });
      if (found == lines.end()) {
        if (lines.size() == 16) lines.pop_back();
        lines.push_front({byte / 64, {}});
      } else {
        lines.splice(lines.begin(), lines, found);
      }
      missed += lines.front().second.insert(byte).second ? 1U : 0U;
    };
    for (const Coordinate k : a.columns) {  // pointers first, then rows one behind the other
      for (std::uint64_t byte = 4 * k; byte < 4 * (k + 1); ++byte) use(byte);
      for (std::uint64_t byte = 12 * a.offsets[k]; byte < 12 * a.offsets[k + 1]; ++byte) {
        use(4 * a.rows + byte);
      }
    }
    CHECK(dram_reads(multiply(spec, a, a).outcome.statistics, "B") == missed);
  }
}

TEST_CASE("a scratchpad for fibers brings every one that is used, each time") {
  const CsrMatrix a = skewed(3);
  std::uint64_t used = 0;
  for (const Coordinate k : a.columns) used += bytes_of(a, k);
  for (const char* setting : {"levels.fiber-cache.holds={B: {policy: buffet}}",
                              "levels.fiber-cache.holds.B.policy=buffet"}) {
    const RowwiseSpec spec = rowwise("gamma", {setting, "units.merge.radix=3"});
    const RowwiseRun run = multiply(spec, a, a, lacuna::test::at(Fidelity::tile, true));
    CHECK(dram_reads(run.outcome.statistics, "B") == used);
    check_product_of(spec, run.outcome, a, a);
    // Partial outputs stay in the other half, or pass by.
    const std::uint64_t partial = 12 * run.totals.partial_nonzeros;
    CHECK(partial > 0);
    CHECK(dram_reads(run.outcome.statistics, "Z_partial") ==
          (spec.level->holds_partials ? 0 : partial));
  }
}

namespace {

const std::vector<std::string> kCut{
    "dataflow.loops=[K1, M, K0, N]", "dataflow.partition={K0: 8}",
    "intersect={K0: {at: pe, kind: leader-follower, leader: A, per_cycle: unbounded}}",
    "levels.fiber-cache.below=K1"};

/// What the tiles of 8 fibers bring of B when `head` of each stays: its fibers' bytes in the head
/// once, the others with every use.
std::uint64_t cut_bytes(const CsrMatrix& a, std::uint64_t room, std::uint64_t window) {
  std::uint64_t all = 0;
  for (Coordinate first = 0; first < a.rows; first += 8) {
    const Coordinate end = std::min<Coordinate>(a.rows, first + 8);
    std::uint64_t tile = 0;
    for (Coordinate k = first; k < end; ++k) tile += bytes_of(a, k);
    const std::uint64_t head = tile <= room ? tile : window == 0 ? 0 : room - window;
    std::uint64_t at = 0;
    const auto part = [&](Coordinate k, std::uint64_t bytes) {
      const auto uses =
          static_cast<std::uint64_t>(std::count(a.columns.begin(), a.columns.end(), k));
      const std::uint64_t stays = std::min(bytes, head > at ? head - at : 0);
      all += (uses > 0 ? stays : 0) + uses * (bytes - stays);
      at += bytes;
    };
    for (Coordinate k = first; k < end; ++k) part(k, 4);
    for (Coordinate k = first; k < end; ++k) part(k, bytes_of(a, k) - 4);
  }
  return all;
}

}  // namespace

TEST_CASE("tiles of fibers stay as far as their room goes, by the policy of the level") {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    const CsrMatrix a = skewed(seed);
    INFO("seed " << seed);
    const auto brings = [&](const std::string& holding, const std::string& capacity) {
      const RowwiseSpec spec =
          rowwise("gamma", with(kCut, {"levels.fiber-cache.holds={B: {" + holding + "}}",
                                       "levels.fiber-cache.capacity=" + capacity}));
      const RowwiseRun run = multiply(spec, a, a, lacuna::test::at(Fidelity::tile, true));
      check_product_of(spec, run.outcome, a, a);
      const auto& partial = run.outcome.statistics.traffic.at("dram").at("Z_partial");
      CHECK(partial.read_bytes == partial.write_bytes);
      CHECK(partial.read_bytes == 12 * run.totals.partial_nonzeros);
      return dram_reads(run.outcome.statistics, "B");
    };
    CHECK(brings("policy: buffet", "64KiB") == cut_bytes(a, 65536, 0));
    CHECK(brings("policy: buffet", "512B") == cut_bytes(a, 512, 0));
    CHECK(brings("policy: tailors, window: 128B", "512B") == cut_bytes(a, 512, 128));
    CHECK(brings("policy: tailors, window: 128B", "64KiB") == cut_bytes(a, 65536, 128));
  }
}

TEST_CASE("Tailors without tiles of B is refused with the loop that is missing") {
  CHECK_THAT(error_of([] {
               (void)rowwise("gamma", {"levels.fiber-cache.holds.B.policy=tailors",
                                       "levels.fiber-cache.holds.B.window=64KiB"});
             }),
             contains("K1 outside M"));
}

TEST_CASE("an element that sums up takes a cycle for each multiply, where memory is ideal") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const CsrMatrix a = random_matrix(50 + static_cast<Coordinate>(seed), 40, 0.4, seed);
    const CsrMatrix b = random_matrix(40, 30, 0.3, seed + 100);
    const RowwiseSpec spec = rowwise("eyeriss-v2-pe");
    const RowwiseRun run = multiply(spec, a, b, lacuna::test::at(Fidelity::tile, true));
    const SpgemmCounts exact = spgemm_counts(a, b);
    CHECK(run.outcome.statistics.cycles == Cycles(exact.multiplies));
    CHECK(run.outcome.statistics.stalls.busy == exact.multiplies);
    CHECK(run.outcome.statistics.z_nonzeros == exact.nnz);
    check_product_of(spec, run.outcome, a, b);
    const RowwiseRun element = multiply(spec, a, b, lacuna::test::at(Fidelity::element));
    check_same_counts(run.outcome.statistics, element.outcome.statistics);
    CHECK(element.outcome.statistics.cycles == run.outcome.statistics.cycles);
  }
}

TEST_CASE("sums leave at 20 bits each, tile by tile, whatever meets in them") {
  const CsrMatrix a = random_matrix(70, 40, 0.2, 1);  // parts of 32, 32 and 6
  const CsrMatrix b = random_matrix(40, 9, 0.2, 2);
  const MachineStatistics s = multiply(rowwise("eyeriss-v2-pe"), a, b).outcome.statistics;
  CHECK(dram_writes(s, "Z") == 9 * (80 + 80 + 15));
}

TEST_CASE("with a memory that takes time an element fills, works and drains") {
  // One tile of each operand: 2 x 12 bits of B and 2 offsets of 4, 3 x 12 bits of A and 3 of 7.
  const CsrMatrix a = from(4, 2, {{0, 0}, {2, 0}, {3, 1}});
  const CsrMatrix b = from(2, 1, {{0, 0}, {1, 0}});
  const RowwiseSpec spec =
      rowwise("eyeriss-v2-pe", {"memory.bandwidth=1 B/cycle", "memory.latency=5 cycles"});
  const MachineStatistics s = multiply(spec, a, b).outcome.statistics;
  CHECK(dram_reads(s, "B") == 4);
  CHECK(dram_reads(s, "A") == 8);
  CHECK(dram_writes(s, "Z") == 10);
  CHECK(s.cycles == Cycles((4 + 5) + (8 + 5) + 3 + (10 + 5)));
}

TEST_CASE("a tile larger than its scratchpad streams through it, once") {
  const CsrMatrix a = random_matrix(32, 16, 1.0, 1);  // 512 nonzeros, 768 B in 288
  const CsrMatrix b = random_matrix(16, 5, 1.0, 2);
  const RowwiseRun run = multiply(rowwise("eyeriss-v2-pe"), a, b);
  CHECK(run.totals.overflowing_tiles == 1);
  CHECK(dram_reads(run.outcome.statistics, "A") == 5 * (768 + 15));  // 17 offsets of 7 b
  CHECK(run.outcome.statistics.meters.high_water.at("spad.A") <= 288);
  CHECK(run.outcome.statistics.cycles == Cycles(512 * 5));
}

TEST_CASE("run lengths bridge long gaps with empty nonzeros, as the format says") {
  const FiberFormat format{.pointer_bits = 0,
                           .coordinate_bits = 2,
                           .value_bits = 8,
                           .run_lengths = true,
                           .plain = false};
  const RankEncoding encoding{EncodingKind::run_length, 2, 0};
  RandomStream random(1, "gaps");
  for (int i = 0; i < 200; ++i) {
    std::vector<Coordinate> at;
    std::vector<std::uint64_t> wide;
    for (Coordinate c = 0; c < 64; ++c) {
      if (random.uniform() > 0.15) continue;
      at.push_back(c);
      wide.push_back(c);
    }
    CHECK(stored_nonzeros(format, 0, at) == stored_coordinates(encoding, 2, 64, wide).size());
  }
}
