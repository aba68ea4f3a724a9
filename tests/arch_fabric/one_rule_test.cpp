// SPDX-License-Identifier: Apache-2.0
// The one rule: a program says what moves, what meets and in which order; the machine alone says
// how long it takes. So a program does not change with the machine's speed, and what the mapper was
// told of a program is what the program does.
#include <fmt/format.h>

#include "arch/buffer/residency.hpp"
#include "arch/cost/array_cost.hpp"
#include "base/random.hpp"
#include "dataflows/fabric_product.hpp"
#include "run/fabric/run.hpp"
#include "tests/catch.hpp"

using namespace lacuna;

namespace {

std::string text(const TileUse& use) {
  return fmt::format("{}@{}+{}+{} room {} {} walk {}/{} [{}, {}){}", use.visit, use.tile.address,
                     use.tile.data_bytes, use.tile.metadata_bytes, use.room,
                     use.stays ? "stays" : "passes", use.walk, use.walks, use.begin, use.end,
                     use.kept ? " kept" : "");
}

std::string text(const ArrayProgram& program) {
  std::string out = fmt::format("A {} B {} Z {}\n", program.shares().a, program.shares().b,
                                program.shares().z_backlog);
  const ArrayWalk next = program.walk();
  for (ArrayInstruction i; next(i);) {
    out += fmt::format("{} {} {} {}: A {} B {} Z {}\n", i.part, i.m, i.n, i.chunk, text(i.a),
                       text(i.b), i.z_bytes);
  }
  return out;
}

/// The program of a fixed mapping.
std::string program_text(const FabricSpec& spec, const FabricInstance& instance,
                         const FabricMapping& mapping) {
  FabricProduct product(spec, instance);
  std::vector<std::string> warnings;
  REQUIRE(product.prepare(warnings).empty());
  return text(make_program({{{product.finish(mapping).schedule}, 2}}, spec.glb_bytes()));
}

const std::vector<std::pair<const char*, const char*>> kRuns{{"tc", "dense"},
                                                             {"stc", "2:4"},
                                                             {"highlight", "2:4"},
                                                             {"s2ta", "4:8"},
                                                             {"dstc", "uniform:0.3"},
                                                             {"lacuna", "uniform:0.3"},
                                                             {"lacuna", "C1(3:5)->C0(2:4)"}};

}  // namespace

TEST_CASE("a program is the same under any clock, bandwidth, latency and price") {
  for (const auto& [machine, a] : kRuns) {
    const FabricSpec spec = load_fabric(machine);
    const auto workload = pattern_workload(300, 500, 700, a, "uniform:0.5");
    const FabricPlan plan = compile_fabric(spec, workload.instances);
    if (!plan.unsupported.empty()) continue;
    const FabricMapping& mapping = plan.parts[0].mapping;
    const std::string program = program_text(spec, workload.instances[0], mapping);
    CHECK(program.size() > 1000);
    FabricSpec other = spec;
    other.clock = Hertz(3e9);
    other.dram.read_words *= 7;
    other.dram.write_words /= 3;
    other.dram.latency = Cycles(12345);
    other.dram.chunk = Bytes(64);
    other.glb.words_per_cycle *= 0.3;
    other.glb.write_words_per_cycle += 11;
    other.arrays.psum_words_per_cycle *= 5;
    other.energy.rank1_select_pj += 1;
    INFO(machine);
    CHECK(program_text(other, workload.instances[0], mapping) == program);
  }
}

TEST_CASE("what the mapper was told of a program is what the program fetches, and takes at least") {
  RandomStream random(11, "one rule");
  std::size_t compared = 0;
  for (std::size_t run = 0; run < 60; ++run) {
    const auto& [machine, a] = kRuns[run % kRuns.size()];
    const auto edge = [&] { return 16 + random.below(600); };
    const std::uint64_t m = edge(), n = edge(), k = edge();
    const std::uint64_t kib = 24 + random.below(200);
    const FabricSpec spec =
        load_fabric(machine, {fmt::format("glb.capacity={}KiB", kib), "glb.window=4KiB"});
    const auto workload = pattern_workload(m, n, k, a, "uniform:0.4", 5);
    const FabricPlan plan = compile_fabric(spec, workload.instances);
    if (!plan.unsupported.empty()) continue;
    INFO(fmt::format("{} {}x{}x{} {} KiB", machine, m, n, k, kib));
    const FabricMapping& mapping = plan.parts[0].mapping;
    const RunResult result = run_fabric(spec, workload);
    const auto& dram = result.statistics.traffic.at("dram");
    const auto fetched = static_cast<double>(dram.at("A").read_bytes + dram.at("B").read_bytes);
    const auto cycles = static_cast<double>(result.statistics.cycles.count());
    // Every group is fetched in whole bytes.
    const auto rounding = static_cast<double>(plan.program.parts[0].product->instructions());
    const bool overflows =
        result.beside.at("a_refetched_bytes") > 0 || result.beside.at("b_refetched_bytes") > 0;
    if (overflows) continue;  // a sample tells what comes again
    CHECK(std::abs(mapping.bytes - fetched) <= rounding + 1);
    // From the sums: exact for inner products, from all tiles of products as small as these.
    CHECK(mapping.estimate.at_least <= cycles + 1);
    ++compared;
  }
  CHECK(compared > 30);
}

TEST_CASE("a tile that is walked again stays, streams its tail, or comes back whole") {
  const Residency tailors(BufferPolicy::tailors, Bytes(16)), buffet(BufferPolicy::buffet, Bytes(0));
  CHECK(tailors.resident(std::uint64_t{100}, 0) == 100);  // no limit
  CHECK(tailors.resident(std::uint64_t{100}, 100) == 100);
  CHECK(tailors.resident(std::uint64_t{101}, 100) == 84);
  CHECK(tailors.resident(std::uint64_t{101}, 10) == 0);
  CHECK(buffet.resident(std::uint64_t{101}, 100) == 0);
  // n + (r - 1)(n - (b - f)), for two tiles of which one overflows, visited twice.
  TileVisits visits{{100, 140}, {3, 5}};
  visits.room = 120;
  visits.piece = 16;
  const FetchTotals totals = fetch_totals("m", visits, tailors);
  CHECK(totals.bytes == 2 * 100 + 2 * 140 + (2 + 4) * (140 - 104));
  CHECK(totals.again == (2 + 4) * (140 - 104));
  CHECK(totals.times == 2);
  visits.piece = 17;
  CHECK_THROWS_AS(fetch_totals("m", visits, tailors), InputError);
  CHECK(fetch_totals("m", visits, buffet).again == (2 + 4) * 140);
}

TEST_CASE("positions of a walked tile: first its bytes, then its tail again and again") {
  StreamPositions positions(Residency(BufferPolicy::tailors, Bytes(10)));
  TileUse use;
  use.tile.data_bytes = 50;
  use.room = 40;  // 30 stay, 20 come again
  use.walks = 3;
  const auto at = [&](std::uint64_t visit, std::uint64_t walk, std::uint64_t begin,
                      std::uint64_t end) {
    use.visit = visit;
    use.walk = walk;
    use.begin = begin;
    use.end = end;
    const StreamPositions::Position position = positions.of(use);
    return std::pair(position.needed, position.release);
  };
  using Pair = std::pair<std::uint64_t, std::uint64_t>;
  CHECK(at(0, 0, 0, 25) == Pair(25, 0));
  CHECK(at(0, 0, 25, 50) == Pair(50, 20));
  CHECK(at(0, 1, 0, 25) == Pair(50, 0));
  CHECK(at(0, 1, 25, 50) == Pair(70, 20));
  CHECK(at(0, 2, 0, 25) == Pair(70, 25));
  CHECK(at(0, 2, 25, 50) == Pair(90, 25));
  // The next visit starts where all of the first, 50 + 2 * 20, ends.
  CHECK(at(1, 0, 0, 25) == Pair(115, 0));
}
