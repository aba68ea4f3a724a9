// SPDX-License-Identifier: Apache-2.0
// Does a machine run the same from its description as from its older file, and does a systolic
// array take the published cycles?
#include <fmt/format.h>

#include "arch/description/array_machine.hpp"
#include "run/fabric/run.hpp"
#include "tests/catch.hpp"

using namespace lacuna;

namespace {

FabricSpec described(const std::string& name, const std::vector<std::string>& settings = {}) {
  ConfigTree tree = ConfigTree::load(lacuna::test::source_dir() / name);
  for (const auto& setting : settings) tree.set(setting);
  const ConfigReader reader(std::move(tree));
  FabricSpec spec = description::read_array_machine(reader);
  reader.finish();
  return spec;
}

/// Only what moves and how long it takes: energies have their own test.
void same(const RunResult& x, const RunResult& y) {
  REQUIRE(x.unsupported == y.unsupported);
  CHECK(x.statistics.cycles == y.statistics.cycles);
  CHECK(x.statistics.traffic == y.statistics.traffic);
  CHECK(x.statistics.actions == y.statistics.actions);
  CHECK(x.energy.total_picojoules == y.energy.total_picojoules);
}

}  // namespace

TEST_CASE("a described machine runs like its older file") {
  const std::vector<std::pair<const char*, const char*>> operands{
      {"2:4", "dense"}, {"uniform:0.3", "uniform:0.5"}, {"dense", "dense"}, {"4:8", "3:8"}};
  for (const char* name : {"tc", "stc", "s2ta", "highlight", "dstc", "lacuna"}) {
    const FabricSpec spec = described(fmt::format("tests/arch_fabric/machines/{}.yaml", name)),
                     old = load_fabric(name);
    for (const auto& [a, b] : operands) {
      INFO(name << " A " << a << " B " << b);
      const auto workload = pattern_workload(300, 700, 900, a, b);
      same(run_fabric(spec, workload), run_fabric(old, workload));
    }
  }
}

// micro23-teaal-artifact@da8f556, data/baselines/tpu.csv: M, N, K, cycles.
TEST_CASE("a weight-stationary array takes the published cycles") {
  const std::vector<std::array<std::uint64_t, 4>> published{{128, 2048, 4096, 73728},
                                                            {320, 3072, 4096, 319488},
                                                            {1632, 36548, 1024, 3827616},
                                                            {2048, 4096, 32, 68096}};
  const FabricSpec spec = described("configs/arch/systolic-ws.yaml");
  for (const auto& [m, n, k, cycles] : published) {
    INFO(m << " " << n << " " << k);
    const MachineStatistics s =
        run_fabric(spec, pattern_workload(m, n, k, "dense", "dense")).statistics;
    CHECK(s.bounds.at("compute") == Cycles(cycles));
    CHECK(s.cycles == Cycles(cycles));
  }
}

// By hand, 4 x 4: K 10 makes folds of 4, 4 and 2 rows in use, M 6 two groups of columns. A fold
// takes 7 columns of B, its rows in use and 4 columns; loading takes the rows in use once more.
TEST_CASE("by hand: folds of a small array, loads hidden and exposed") {
  const std::vector<std::string> small{
      "units=[{name: array, class: systolic-array, at: smem, rows: 4, "
      "columns: 4, stationary: A, load: hidden}]",
      "dataflow.partition={M0: 4, K0: 4}"};
  const auto workload = pattern_workload(6, 7, 10, "dense", "dense");
  const auto cycles = [&](const FabricSpec& spec) {
    return run_fabric(spec, workload).statistics.cycles;
  };
  CHECK(cycles(described("configs/arch/systolic-ws.yaml", small)) ==
        Cycles(2 * (3 * (7 + 4) + 4 + 4 + 2)));
  std::vector<std::string> exposed = small;
  exposed[0].replace(exposed[0].find("hidden"), 6, "exposed");
  CHECK(cycles(described("configs/arch/systolic-ws.yaml", exposed)) ==
        Cycles(2 * (3 * (7 + 4) + 2 * (4 + 4 + 2))));
}
