// SPDX-License-Identifier: Apache-2.0
// Do arrays ask memory for their operands where these are stored, again at the same place when a
// tile comes again?
#include <fmt/format.h>

#include "arch/memory/factory.hpp"
#include "arch/memory/regions.hpp"
#include "arch/system/array_system.hpp"
#include "base/random.hpp"
#include "run/fabric/run.hpp"
#include "tests/arch/mapped_memory.hpp"
#include "tests/catch.hpp"

using namespace lacuna;
using lacuna::test::dense_from;
using lacuna::test::Mapped;

namespace {

struct Asked {
  Mapped::Log log;
  ArrayRun run;

  [[nodiscard]] const Mapped::Seen& read(Tensor tensor) const {
    return log.read[static_cast<std::size_t>(tensor)];
  }
  [[nodiscard]] std::uint64_t most_often(Tensor tensor) const {
    std::uint64_t most = 0;
    for (const auto& [address, times] : read(tensor)) most = std::max(most, times);
    return most;
  }
};

void ask(const FabricSpec& spec, const FabricWorkload& workload, Asked& out) {
  const FabricPlan plan = compile_fabric(spec, workload.instances);
  ArrayRunOptions options;
  options.memory = [&](const std::string& name, sim::Simulation& simulation, const DramSpec& dram) {
    return std::make_unique<Mapped>(make_memory({}, name, simulation, dram), out.log);
  };
  out.run = spec.shared ? run_shared_program(spec, plan.shared, options)
                        : run_array_program(spec, plan.program, options);
}

}  // namespace

TEST_CASE("operands of arrays are read where they are stored, all of them and nothing else") {
  RandomStream random(21, "addresses");
  const std::vector<std::pair<const char*, std::vector<std::string>>> machines{
      {"tc", {}},
      {"lacuna", {"glb.capacity=24KiB", "glb.metadata=8KiB", "glb.window=2KiB"}},
      {"dstc", {"glb.capacity=48KiB"}},
      {"lacuna-l2",
       {"levels.l2.capacity=96KiB", "levels.l2.holds.B.window=8KiB", "levels.glb.capacity=48KiB",
        "glb.window=4KiB"}},
      {"lacuna-l2",
       {"levels.l2.capacity=96KiB", "levels.l2.holds.B.policy=cache", "levels.glb.capacity=48KiB",
        "glb.window=4KiB"}}};
  bool again = false;
  for (int round = 0; round < 2; ++round) {
    for (const auto& [name, settings] : machines) {
      const auto edge = [&] { return 150 + random.below(250); };
      const std::uint64_t m = edge(), n = edge(), k = edge();
      const FabricWorkload workload = pattern_workload(m, n, k, "uniform:0.6", "uniform:0.6", 3);
      Asked asked;
      ask(load_fabric(name, settings), workload, asked);
      INFO(fmt::format("{} {}", name, workload.name));
      for (const Tensor tensor : {Tensor::a, Tensor::b}) {
        const Mapped::Seen& seen = asked.read(tensor);
        REQUIRE_FALSE(seen.empty());
        CHECK(dense_from(seen, kFixedRegions.of(tensor)));
        std::uint64_t bytes = 0;
        for (const auto& [address, times] : seen) bytes += times;
        CHECK(bytes == (tensor == Tensor::a ? asked.run.dram_a : asked.run.dram_b).read_bytes);
        again = again || asked.most_often(tensor) > 1;
      }
    }
  }
  CHECK(again);
}

// 64 rows of 32 bytes are one group, B's 300 columns three tiles of 100: A passes for each.
TEST_CASE("by hand: what is fetched again has the address that it had") {
  const FabricSpec spec = load_fabric(
      "tc",
      {"mappings=[{m: 64, n: 300, k: 32, tile_columns: 100, b_tile_columns: 100, outer: B}]"});
  Asked asked;
  ask(spec, pattern_workload(64, 300, 32, "dense", "dense"), asked);
  CHECK(asked.read(Tensor::a).size() == 64 * 32);
  CHECK(asked.read(Tensor::b).size() == 300 * 32);
  CHECK(asked.most_often(Tensor::b) == 1);
  CHECK(asked.run.dram_a.read_bytes == asked.most_often(Tensor::a) * asked.read(Tensor::a).size());
}
