// SPDX-License-Identifier: Apache-2.0
// What becomes of a run when a level says its banks: traffic and counts stay, cycles only rise, and
// a level of many banks is as fast as one that does not say them.
#include <fmt/format.h>

#include "arch/system/array_system.hpp"
#include "base/random.hpp"
#include "run/fabric/run.hpp"
#include "tests/catch.hpp"

using namespace lacuna;

namespace {

/// A program whose mapping was chosen without banks.
ArrayRun run_with(const std::string& machine, std::vector<std::string> settings,
                  const FabricWorkload& workload, const std::string& banks,
                  std::optional<std::uint64_t> shuffle = {}) {
  const FabricPlan plan = compile_fabric(load_fabric(machine, settings), workload.instances);
  REQUIRE(plan.unsupported.empty());
  if (!banks.empty()) settings.push_back(banks);
  const FabricSpec spec = load_fabric(machine, settings);
  ArrayRunOptions options;
  options.shuffle = shuffle;
  return spec.shared ? run_shared_program(spec, plan.shared, options)
                     : run_array_program(spec, plan.program, options);
}

void same_traffic(const ArrayRun& a, const ArrayRun& b) {
  CHECK(a.dram_a == b.dram_a);
  CHECK(a.dram_b == b.dram_b);
  CHECK(a.dram_z == b.dram_z);
  CHECK(a.counts.mac_compute == b.counts.mac_compute);
  CHECK(a.counts.glb_a.all() == b.counts.glb_a.all());
  CHECK(a.counts.psum_glb_writes == b.counts.psum_glb_writes);
}

}  // namespace

TEST_CASE("banks change no traffic and no count, and only cost time") {
  RandomStream random(17, "banks");
  std::size_t slower = 0;
  for (int run = 0; run < 48; ++run) {
    const char* const machines[] = {"tc", "highlight", "dstc", "lacuna", "lacuna-l2"};
    const std::string machine = machines[run % 5];
    const bool l2 = machine == "lacuna-l2";
    const auto edge = [&] { return 32 + random.below(400); };
    const std::uint64_t m = edge(), n = edge(), k = edge();
    const auto workload =
        pattern_workload(m, n, k, run % 2 == 0 ? "dense" : "2:4", "uniform:0.4", 5);
    const std::string level = l2 && run % 2 == 0 ? "l2" : "glb";
    INFO(fmt::format("{} {}x{}x{} {}", machine, m, n, k, level));
    const ArrayRun alone = run_with(machine, {}, workload, "");
    std::uint64_t before = alone.cycles.count();
    for (const unsigned banks : {64U, 4U, 2U, 1U}) {
      const auto setting = fmt::format("levels.{}.banks={}", level, banks);
      const ArrayRun with = run_with(machine, {}, workload, setting);
      same_traffic(alone, with);
      CHECK(with.cycles >= alone.cycles);
      if (with.cycles.count() > before) ++slower;
      before = with.cycles.count();
      if (run % 8 != 0) continue;
      const ArrayRun shuffled = run_with(machine, {}, workload, setting, 99);
      CHECK(shuffled.cycles == with.cycles);
    }
  }
  CHECK(slower > 10);
}

TEST_CASE("contention: false gives every access its bank alone") {
  const auto workload = pattern_workload(256, 256, 512, "2:4", "uniform:0.4", 5);
  const ArrayRun alone = run_with("highlight", {"contention=false"}, workload, "");
  const ArrayRun with = run_with("highlight", {"contention=false"}, workload, "levels.glb.banks=1");
  CHECK(with.cycles == alone.cycles);
  CHECK(with.meters.ports.count("glb_banks") == 0);
}
