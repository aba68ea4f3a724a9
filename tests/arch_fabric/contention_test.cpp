// SPDX-License-Identifier: Apache-2.0
// What becomes of a run when those who share a port of the buffer wait for each other: traffic and
// counts stay, cycles only rise, and each rise is waited for at the port.
#include <fmt/format.h>

#include "arch/system/array_system.hpp"
#include "base/random.hpp"
#include "run/fabric/run.hpp"
#include "tests/catch.hpp"

using namespace lacuna;

namespace {

struct Pair {
  ArrayRun alone, shared;
};

/// Nothing when the machine cannot run it. One program, its mapping chosen once, on a machine with
/// contention and without.
std::optional<Pair> both(FabricSpec spec, const FabricWorkload& workload) {
  Pair out;
  for (const bool contention : {false, true}) {
    spec.contention = contention;
    FabricSpec mapped = spec;
    mapped.contention = false;
    const FabricPlan plan = compile_fabric(mapped, workload.instances);
    if (!plan.unsupported.empty()) return std::nullopt;
    (contention ? out.shared : out.alone) = run_array_program(spec, plan.program, {});
  }
  return out;
}

bool same_words(const FabricWords& a, const FabricWords& b) {
  return a.data == b.data && a.metadata == b.metadata;
}

}  // namespace

TEST_CASE("contention changes no traffic and no count, and costs what is waited for at the port") {
  RandomStream random(7, "contention");
  std::size_t slower = 0;
  for (int run = 0; run < 120; ++run) {
    const char* const machines[] = {"tc", "stc", "highlight", "dstc", "s2ta", "lacuna"};
    const std::string machine = machines[run % 6];
    const auto edge = [&] { return 16 + random.below(500); };
    const std::uint64_t m = edge(), n = edge(), k = edge();
    const double rate = std::exp2(random.below(8));  // 1 to 128 words a cycle
    FabricSpec spec = load_fabric(
        machine, {fmt::format("glb.capacity={}KiB", 24 + random.below(200)), "glb.window=4KiB",
                  fmt::format("glb.write_words_per_cycle={}", rate)});
    if (run % 3 == 0 && spec.arrays.tiles.empty()) spec.arrays.psum_spill_steps = 4;
    auto workload = pattern_workload(m, n, k, run % 2 == 0 ? "dense" : "2:4", "uniform:0.4", 5);
    if (run % 5 == 0 && 4 * m * n < spec.glb_bytes()) workload.instances[0].z_on_chip = true;
    INFO(fmt::format("{} {}x{}x{}, {} words a cycle", machine, m, n, k, rate));
    const auto runs = both(spec, workload);
    if (!runs) continue;
    const auto& [alone, shared] = *runs;
    CHECK(shared.dram_a == alone.dram_a);
    CHECK(shared.dram_b == alone.dram_b);
    CHECK(shared.dram_z == alone.dram_z);
    CHECK(same_words(shared.counts.glb_a, alone.counts.glb_a));
    CHECK(same_words(shared.counts.glb_b, alone.counts.glb_b));
    CHECK(shared.counts.mac_compute == alone.counts.mac_compute);
    CHECK(shared.counts.psum_glb_writes == alone.counts.psum_glb_writes);
    CHECK(shared.cycles >= alone.cycles);
    const std::uint64_t rise = (shared.cycles - alone.cycles).count();
    const std::uint64_t waited = shared.meters.ports.at("glb_write").waited.value();
    CHECK(rise <= waited + shared.instructions);  // each may end a part of a cycle later
    if (waited == 0) CHECK(rise == 0);
    slower += rise > 0 ? 1 : 0;
  }
  CHECK(slower > 30);
}

TEST_CASE("the mapper is told of the port: no run beats what it was promised at least") {
  RandomStream random(8, "contention");
  for (int run = 0; run < 60; ++run) {
    const char* const machines[] = {"tc", "stc", "highlight", "lacuna"};
    const auto edge = [&] { return 16 + random.below(500); };
    const std::uint64_t m = edge(), n = edge(), k = edge();
    const FabricSpec spec =
        load_fabric(machines[run % 4],
                    {fmt::format("glb.write_words_per_cycle={}", std::exp2(random.below(6)))});
    const auto workload = pattern_workload(m, n, k, "2:4", "uniform:0.4", 5);
    const FabricPlan plan = compile_fabric(spec, workload.instances);
    const ArrayRun done = run_array_program(spec, plan.program, {});
    INFO(fmt::format("{} {}x{}x{}", spec.name, m, n, k));
    if (done.a_again + done.b_again > 0) continue;  // a sample tells what comes again
    CHECK(plan.estimate.at_least <= static_cast<double>(done.cycles.count()) + 1);
  }
}

// 64 x 32 bytes of A and 64 x 32 of B come at 32 bytes a cycle and pass at 8: 4096 / 8 cycles
// instead of 4096 / 32, from when the first of them is there, at 100.
TEST_CASE("by hand: a port into the buffer that is slower than memory") {
  const auto cycles = [](double rate) {
    const FabricSpec spec = load_fabric("tc", {fmt::format("glb.write_words_per_cycle={}", rate)});
    return run_fabric(spec, pattern_workload(64, 64, 32, "dense", "dense")).statistics;
  };
  const MachineStatistics slow = cycles(8), fast = cycles(76);
  CHECK(slow.bounds.at("glb") == Cycles(4096 / 8));
  CHECK(slow.bound == "glb");
  CHECK(slow.cycles > fast.cycles + Cycles(300));
  CHECK(slow.traffic.at("dram") == fast.traffic.at("dram"));
}

TEST_CASE("a machine's file switches contention off, in either form") {
  CHECK(load_fabric("tc").contention);
  CHECK_FALSE(load_fabric("tc", {"contention=false"}).contention);
  CHECK_FALSE(load_fabric("published/stc").contention);
  CHECK_FALSE(load_fabric("systolic-ws", {"contention=false"}).contention);
}
