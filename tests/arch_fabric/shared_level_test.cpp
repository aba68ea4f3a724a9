// SPDX-License-Identifier: Apache-2.0
// Clusters behind a level that they share: do they do the same work as one, does memory move what
// the level's room asks for, and is nothing lost whatever is late?
#include <fmt/format.h>

#include "arch/system/array_system.hpp"
#include "base/random.hpp"
#include "run/fabric/run.hpp"
#include "tests/catch.hpp"

using namespace lacuna;
using lacuna::test::contains;
using lacuna::test::error_of;

namespace {

FabricSpec clusters(const std::vector<std::string>& settings = {}) {
  return load_fabric("lacuna-l2", settings);
}

const std::vector<std::pair<const char*, const char*>> kOperands{
    {"dense", "dense"},
    {"2:4", "uniform:0.5"},
    {"uniform:0.3", "uniform:0.3"},
    {"C1(3:5)->C0(2:4)", "uniform:0.7"}};

FabricWorkload any_product(RandomStream& random, std::uint64_t most = 700) {
  const auto& [a, b] = kOperands[random.below(kOperands.size())];
  const auto edge = [&] { return 1 + random.below(most); };
  const std::uint64_t m = edge(), n = edge(), k = edge();
  return pattern_workload(m, n, k, a, b, random.below(100));
}

ArrayRun simulate(const FabricSpec& spec, const FabricWorkload& workload,
                  const ArrayRunOptions& options = {}) {
  const FabricPlan plan = compile_fabric(spec, workload.instances);
  REQUIRE(plan.unsupported.empty());
  return run_shared_program(spec, plan.shared, options);
}

const char* const kPolicies[] = {"tailors", "buffet", "cache"};

std::vector<std::string> any_hierarchy(RandomStream& random) {
  const std::uint64_t count = 1 + random.below(4);
  return {fmt::format("levels.l2.capacity={}KiB", 256 + random.below(800)),
          fmt::format("levels.glb.capacity={}KiB", 64 + random.below(200)),
          fmt::format("levels.glb.instances={}", count),
          fmt::format("dataflow.partition.M2={}", count),
          fmt::format("links.glb.multicast={}", random.below(2) == 0),
          fmt::format("dataflow.order={}", random.below(2) == 0 ? "mapper" : "given"),
          fmt::format("levels.l2.holds.A.policy={}", random.below(3) == 0 ? "cache" : "buffet"),
          fmt::format("levels.l2.holds.B.policy={}", kPolicies[random.below(3)])};
}

}  // namespace

TEST_CASE("clusters do the work of one machine, each its rows") {
  RandomStream random(1, "clusters");
  const FabricSpec one = load_fabric("lacuna");
  for (int run = 0; run < 60; ++run) {
    const FabricWorkload workload = any_product(random);
    const FabricSpec spec = clusters(any_hierarchy(random));
    const RunResult alone = run_fabric(one, workload), shared = run_fabric(spec, workload);
    const MachineStatistics& x = alone.statistics;
    const MachineStatistics& y = shared.statistics;
    INFO(workload.name << " on " << spec.clusters);
    CHECK(y.macs_effectual == x.macs_effectual);
    CHECK(shared.macs_dense == alone.macs_dense);
    CHECK(shared.macs_skipped == alone.macs_skipped);
    CHECK(y.traffic.at("dram").at("Z") == x.traffic.at("dram").at("Z"));
    // As bitmaps and blocks round: both walk what is stored.
    const auto stored = [](const RunResult& r, const char* tensor) {
      return static_cast<double>(r.statistics.traffic.at("dram").at(tensor).read_bytes);
    };
    for (const char* tensor : {"A", "B"}) {
      const RunResult roomy = run_fabric(clusters({"levels.l2.capacity=256MiB"}), workload);
      CHECK(stored(shared, tensor) >= stored(roomy, tensor) * 0.999 - 64);
    }
  }
}

TEST_CASE("a shared level that holds everything has each byte from memory once") {
  for (const auto& [a, b] : kOperands) {
    const auto workload = pattern_workload(700, 900, 800, a, b);
    const FabricSpec spec = clusters({"levels.l2.capacity=64MiB"});
    const MachineStatistics s = run_fabric(spec, workload).statistics;
    const MachineStatistics lone =
        run_fabric(load_fabric("lacuna", {"glb.capacity=64MiB"}), workload).statistics;
    for (const char* tensor : {"A", "B"}) {
      INFO(a << " x " << b << ", " << tensor);
      const auto got = static_cast<double>(s.traffic.at("dram").at(tensor).read_bytes);
      const auto once = static_cast<double>(lone.traffic.at("dram").at(tensor).read_bytes);
      CHECK(std::abs(got - once) <= 2 + 1e-3 * once);  // masks are packed by cluster
      CHECK(s.traffic.at("l2").at(tensor).read_bytes >= s.traffic.at("l2").at(tensor).write_bytes);
    }
  }
}

TEST_CASE("what several clusters need crosses the link once when it is multicast") {
  const auto workload = pattern_workload(512, 700, 600, "2:4", "uniform:0.5");
  const auto run = [&](bool multicast) {
    return run_fabric(clusters({fmt::format("links.glb.multicast={}", multicast)}), workload)
        .statistics;
  };
  const MachineStatistics cast = run(true), single = run(false);
  CHECK(single.traffic.at("l2").at("B").read_bytes == 2 * cast.traffic.at("l2").at("B").read_bytes);
  CHECK(single.traffic.at("l2").at("A") == cast.traffic.at("l2").at("A"));
  CHECK(single.traffic.at("dram") == cast.traffic.at("dram"));
  CHECK(single.traffic.at("glb") == cast.traffic.at("glb"));
}

TEST_CASE("stalls and the order of construction change no count of a shared level") {
  RandomStream random(3, "shared stalls");
  for (int run = 0; run < 60; ++run) {
    const FabricWorkload workload = any_product(random, 400);
    const FabricSpec spec = clusters(any_hierarchy(random));
    const ArrayRun calm = simulate(spec, workload);
    ArrayRunOptions options;
    options.stalls = {0.3, 200, random.below(1000)};
    const ArrayRun late = simulate(spec, workload, options);
    ArrayRunOptions other_order;
    other_order.shuffle = random.below(1000);
    const ArrayRun shuffled = simulate(spec, workload, other_order);
    INFO(workload.name);
    // Who comes late may let another pass whose bytes are wanted sooner: a stall's length at most.
    CHECK(late.cycles + Cycles(options.stalls.longest) >= calm.cycles);
    CHECK(shuffled.cycles == calm.cycles);
    for (const ArrayRun* other : {&late, &shuffled}) {
      CHECK(other->dram_a == calm.dram_a);
      CHECK(other->dram_b == calm.dram_b);
      CHECK(other->dram_z == calm.dram_z);
      CHECK(other->slots == calm.slots);
      CHECK(other->counts.mac_compute == calm.counts.mac_compute);
    }
  }
}

TEST_CASE("contention at a shared level costs cycles, never bytes") {
  RandomStream random(4, "shared contention");
  for (int run = 0; run < 40; ++run) {
    const FabricWorkload workload = any_product(random, 500);
    std::vector<std::string> settings = any_hierarchy(random);
    settings.push_back(fmt::format("levels.l2.ports={{read: {} B/cycle, write: {} B/cycle}}",
                                   8 << random.below(5), 8 << random.below(5)));
    const FabricSpec shared = clusters(settings);
    FabricSpec alone = shared;
    alone.contention = false;
    const FabricPlan plan = compile_fabric(shared, workload.instances);
    const FabricPlan again = compile_fabric(shared, workload.instances);
    const ArrayRun x = run_shared_program(alone, plan.shared, {});
    const ArrayRun y = run_shared_program(shared, again.shared, {});
    INFO(workload.name);
    CHECK(y.cycles >= x.cycles);
    CHECK(y.dram_a == x.dram_a);
    CHECK(y.dram_b == x.dram_b);
    CHECK(y.dram_z == x.dram_z);
    CHECK(y.counts.mac_compute == x.counts.mac_compute);
  }
}

// Each cluster has 64 rows and takes the 64 columns and 64 of K in 4 instructions of 64 cycles. The
// memory passes everything in a cycle and answers 100 later; the link to the clusters takes 4. So
// operands are there at 1 + 100 + 4 = 105, work is done 256 later, and outputs take 4 + 1 + 100.
TEST_CASE("by hand: the way through a shared level") {
  const auto cycles = [](std::uint64_t of, std::vector<std::string> settings) {
    for (const char* fast : {"features.structured_sparsity=false", "memory.read=1e6 B/cycle",
                             "memory.write=1e6 B/cycle", "levels.l2.ports.write=unbounded",
                             "levels.glb.ports.read=unbounded", "levels.glb.ports.write=unbounded",
                             "links.glb.bandwidth=unbounded"}) {
      settings.emplace_back(fast);
    }
    settings.push_back(fmt::format("levels.glb.instances={}", of));
    settings.push_back(fmt::format("dataflow.partition.M2={}", of));
    const auto workload = pattern_workload(64 * of, 64, 64, "dense", "dense");
    return run_fabric(clusters(settings), workload).statistics.cycles;
  };
  const std::string free = "levels.l2.ports.read=unbounded";
  CHECK(cycles(1, {free}) == Cycles(105 + 256 + 105));
  CHECK(cycles(2, {free}) == Cycles(105 + 256 + 105));
  CHECK(cycles(1, {free, "links.glb.latency=40 cycles"}) == Cycles(141 + 256 + 141));
  // 16 bytes a cycle out of the level: 256 cycles for B, 128 for each request of A. The first is
  // enough for two instructions, the second is there when they are done. B goes to all clusters at
  // once, or to one after the other; then both requests of the first cluster and those of the next.
  const std::string narrow = "levels.l2.ports.read=16 B/cycle";
  CHECK(cycles(1, {narrow}) == Cycles(101 + 256 + 128 + 4 + 256 + 105));
  CHECK(cycles(2, {narrow}) == Cycles(101 + 256 + 3 * 128 + 4 + 256 + 105));
  CHECK(cycles(2, {narrow, "links.glb.multicast=false"}) ==
        Cycles(101 + 2 * 256 + 3 * 128 + 4 + 256 + 105));
}

TEST_CASE("a machine that no run takes is refused with the part that stands in the way") {
  const auto refusal = [](const std::vector<std::string>& settings) {
    return error_of([&] { (void)clusters(settings); });
  };
  CHECK_THAT(refusal({"levels.l2.holds.A={policy: buffet}", "levels.l2.holds.B.share=null"}),
             contains("share"));
  CHECK_THAT(refusal({"levels.l2.holds.B.window=1KiB"}), contains("levels[0].holds.B.window"));
  CHECK_THAT(refusal({"levels.l2.capacity=64KiB", "levels.l2.holds.A.share=0.1",
                      "levels.l2.holds.B.window=16KiB"}),
             contains("requests of 2048 bytes"));
  CHECK_THAT(refusal({"dataflow.partition.M2=1"}), contains("2 clusters"));
  CHECK_THAT(refusal({"levels.l2.metadata=4KiB"}), contains("levels[0].metadata"));
  CHECK_THAT(refusal({"levels.l2.instances=2"}), contains("l2"));
  // Before memory is taken for what a cache keeps track of.
  CHECK_THAT(refusal({"levels.l2.holds.B={policy: cache, ways: 16, share: 0.5, window: null}",
                      "levels.l2.capacity=1125899906842624B"}),
             contains("kept track of"));
}

TEST_CASE("what an array machine's description says and no run heeds is refused") {
  const auto refusal = [](const std::string& machine, const std::string& setting) {
    return error_of([&] { (void)load_fabric(machine, {setting}); });
  };
  for (const char* setting :
       {"dataflow.growth=n-first", "dataflow.aspect=2", "dataflow.lookahead=4",
        "dataflow.edges=prescient", "bound.blocks=dram", "strict=true", "memory.burst=64B",
        "levels.rf.slices=2", "levels.rf.banks=2", "levels.rf.metadata=1KiB",
        "levels.glb.holds.A.uncompressed_from=0.5", "levels.glb.holds.B.keep_metadata=true",
        "dataflow.by_workload={mine: {M0: 2}}", "intersect={K0: {at: glb, per_cycle: 1}}"}) {
    INFO(setting);
    CHECK(refusal("tc", setting) != "");
  }
  CHECK_THAT(refusal("dstc", "levels.rf.ports.write=8 B/cycle"), contains("levels[1].ports.write"));
}

TEST_CASE("banks of a level price its accesses where each would be shallow") {
  const auto energy = [](const std::string& machine, const char* component,
                         const std::vector<std::string>& settings) {
    return run_fabric(load_fabric(machine, settings),
                      pattern_workload(64, 64, 64, "dense", "dense"))
        .energy.components.at(component)
        .picojoules;
  };
  CHECK(energy("tc", "smem", {"levels.glb.banks=2"}) == energy("tc", "smem", {}));
  CHECK(energy("tc", "smem", {"levels.glb.banks=4096"}) != energy("tc", "smem", {}));
  CHECK(energy("lacuna-l2", "l2", {"levels.l2.banks=4096"}) != energy("lacuna-l2", "l2", {}));
}
