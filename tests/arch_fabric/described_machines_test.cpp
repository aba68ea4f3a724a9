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

// Folds of an output-stationary array take 2 rows + columns + K - 2 cycles each (SCALE-Sim),
// whatever of the array the last ones use.
TEST_CASE("an output-stationary array takes the closed form's cycles") {
  const std::vector<std::array<std::uint64_t, 3>> shapes{
      {128, 128, 1}, {128, 128, 500}, {256, 384, 64}, {300, 77, 129}, {1, 1, 1}, {129, 1, 2000}};
  const FabricSpec spec = load_fabric("systolic-os");
  for (const auto& [m, n, k] : shapes) {
    INFO(m << " " << n << " " << k);
    const std::uint64_t folds = ceil_div(m, std::uint64_t{128}) * ceil_div(n, std::uint64_t{128});
    const MachineStatistics s =
        run_fabric(spec, pattern_workload(m, n, k, "dense", "dense")).statistics;
    CHECK(s.bounds.at("compute") == Cycles(folds * (2 * 128 + 128 + k - 2)));
    CHECK(s.cycles == Cycles(folds * (2 * 128 + 128 + k - 2)));
  }
}

// By hand, 3 rows x 5 columns: 4 x 6 outputs make 2 x 2 folds of 6 + 5 + 7 - 2 cycles. Each of 24
// outputs sums 7 pairs. Sums of rows 0 .. 2 pass 3, 2 and 1 registers on their way out: 6 for each
// column of three rows, 3 for that of one.
TEST_CASE("by hand: sums that stay in a small array, and how they leave") {
  const FabricSpec spec =
      load_fabric("systolic-os", {"units.array.rows=3", "units.array.columns=5",
                                  "dataflow.partition={M0: 3, N0: 5}", "levels.acc.capacity=60B",
                                  "units.array.gates=[B]"});
  const MachineStatistics s =
      run_fabric(spec, pattern_workload(4, 6, 7, "dense", "uniform:0.5")).statistics;
  CHECK(s.cycles == Cycles(4 * (6 + 5 + 7 - 2)));
  const std::uint64_t drained = 6 * (6 + 3);
  CHECK(s.actions.at("rf").at("write") == 24 * 7 + drained - 24);
  CHECK(s.actions.at("rf").at("read") == 24 * 7 - 24 + drained);
  CHECK(s.actions.at("mac").at("compute") + s.actions.at("mac").at("gated") == 24 * 7);
  CHECK(s.actions.at("mac").at("gated") > 0);
}

// By hand, 4 x 4, A 2:4: K 20 makes folds of 8, 8 and 4 positions, 4, 4 and 2 rows in use.
TEST_CASE("by hand: a pattern of the stationary operand lets a fold span more of K") {
  std::vector<std::string> changes{"units.array.rows=4", "units.array.columns=4",
                                   "dataflow.partition={M0: 4, K0: 4}",
                                   "units.array.skips={A: [\"2:4\"]}", "units.array.load=exposed"};
  const auto workload = pattern_workload(4, 7, 20, "2:4", "dense");
  const MachineStatistics s = run_fabric(load_fabric("systolic-ws", changes), workload).statistics;
  CHECK(s.cycles == Cycles(3 * (7 + 4) + 2 * (4 + 4 + 2)));
  CHECK(s.actions.at("mac").at("compute") == 4 * 7 * 10);
  changes[3] = "units.array.gates=[B]";
  CHECK(run_fabric(load_fabric("systolic-ws", changes), workload).statistics.cycles ==
        Cycles(5 * (7 + 4) + 2 * 20));
}

TEST_CASE("what a systolic array cannot skip is refused") {
  const auto refusal = [](const char* name, const std::string& change) {
    return test::error_of([&] { (void)load_fabric(name, {change}); });
  };
  CHECK_THAT(refusal("systolic-os", "units.array.skips={A: [\"2:4\"]}"),
             test::contains("A streams through the array"));
  CHECK_THAT(refusal("systolic-ws", "units.array.skips={B: [\"2:4\"]}"),
             test::contains("B streams through the array"));
  CHECK_THAT(refusal("systolic-ws", "units.array.skips={A: [unstructured]}"),
             test::contains("cannot skip any zeros of A"));
  CHECK_THAT(refusal("systolic-os", "dataflow.partition={M0: 64, N0: 128}"),
             test::contains("64 outputs along M, the array has 128"));
  CHECK_THAT(refusal("systolic-os", "dataflow.spatial={M0: {over: array.rows}}"),
             test::contains("M and N are spread over it"));
  CHECK_THAT(refusal("systolic-os", "units.array.load=hidden"), test::contains("load"));
}
