// SPDX-License-Identifier: Apache-2.0
// Does a systolic array take the published cycles, and what else can a description alone say?
#include <fmt/format.h>

#include "run/fabric/run.hpp"
#include "tests/catch.hpp"

using namespace lacuna;

// micro23-teaal-artifact@da8f556, data/baselines/tpu.csv: M, N, K, cycles.
TEST_CASE("a weight-stationary array takes the published cycles") {
  const std::vector<std::array<std::uint64_t, 4>> published{{128, 2048, 4096, 73728},
                                                            {320, 3072, 4096, 319488},
                                                            {1632, 36548, 1024, 3827616},
                                                            {2048, 4096, 32, 68096}};
  const FabricSpec spec = load_fabric("systolic-ws");
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
  CHECK(cycles(load_fabric("systolic-ws", small)) == Cycles(2 * (3 * (7 + 4) + 4 + 4 + 2)));
  std::vector<std::string> exposed = small;
  exposed[0].replace(exposed[0].find("hidden"), 6, "exposed");
  CHECK(cycles(load_fabric("systolic-ws", exposed)) == Cycles(2 * (3 * (7 + 4) + 2 * (4 + 4 + 2))));
}
