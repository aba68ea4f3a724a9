// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "run/fabric/run.hpp"
#include "tests/catch.hpp"

namespace lacuna {
namespace {

RunResult run(const FabricSpec& spec, std::uint64_t m, std::uint64_t n, std::uint64_t k,
              const std::string& a, const std::string& b) {
  return run_fabric(spec, pattern_workload(m, n, k, a, b));
}

}  // namespace

TEST_CASE("HighLight's latency is the dense one times the density of A at each of its degrees") {
  const FabricSpec spec = load_fabric("highlight");
  REQUIRE(spec.a.patterns.size() == 15);
  for (const FabricPattern& entry : spec.a.patterns) {
    const Pattern& pattern = entry.pattern;
    const Ratio density = pattern.density();
    const std::uint64_t k = 32 * pattern.group_size();  // whole groups on all lanes
    const RunResult result = run(spec, 512, 256, k, pattern.text(), "dense");
    INFO(pattern.text());
    CHECK(result.provenance.warnings.empty());
    const std::uint64_t dense = 512 * 256 * k / 1024;
    CHECK(result.statistics.cycles_bound.count() * density.den == dense * density.num);
    CHECK(result.statistics.bound == "compute");
  }
}

TEST_CASE("zeros of B cost HighLight no cycles and save it energy and traffic") {
  const FabricSpec spec = load_fabric("highlight");
  const std::string a = "C1(4:8)->C0(2:4)";
  const RunResult dense = run(spec, 256, 512, 1024, a, "dense");
  double energy = dense.energy.total_picojoules;
  std::uint64_t bytes = dense.statistics.traffic.at("dram").at("B").read_bytes;
  for (const char* b : {"uniform:0.75", "uniform:0.5", "uniform:0.25"}) {
    const RunResult sparse = run(spec, 256, 512, 1024, a, b);
    CHECK(sparse.statistics.cycles_bound == dense.statistics.cycles_bound);
    CHECK(sparse.energy.total_picojoules < energy);
    CHECK(sparse.statistics.traffic.at("dram").at("B").read_bytes < bytes);
    CHECK(sparse.macs_gated + sparse.statistics.macs_effectual == 256 * 512 * 256);
    energy = sparse.energy.total_picojoules;
    bytes = sparse.statistics.traffic.at("dram").at("B").read_bytes;
  }
}

TEST_CASE("HighLight's buffer throttles it below 76 words per cycle at 75 % sparsity, dense B") {
  const auto bound = [](const char* words) {
    return run(load_fabric("highlight", {std::string("glb.words_per_cycle=") + words}), 512, 512,
               1024, "C1(4:8)->C0(2:4)", "dense")
        .statistics;
  };
  CHECK(bound("76").bound == "compute");
  CHECK(bound("75").bound == "glb");
  // 64 words of B, 8 of A and 4 of its metadata for each cycle.
  CHECK(bound("42").cycles_bound ==
        Cycles(static_cast<std::uint64_t>(std::ceil(65536 * 76.0 / 42))));
}

TEST_CASE("on dense operands HighLight costs at most two percent more than the dense machine") {
  const auto workload = pattern_workload(1024, 1024, 1024, "dense", "dense");
  const RunResult tc = run_fabric(load_fabric("tc"), workload);
  const RunResult highlight = run_fabric(load_fabric("highlight"), workload);
  CHECK(highlight.statistics.cycles == tc.statistics.cycles);
  const double tax = highlight.energy.total_picojoules / tc.energy.total_picojoules - 1;
  CHECK(tax > 0);
  CHECK(tax < 0.02);
}

TEST_CASE("the energy of the sparse acceleration units is a bucket that can be switched off") {
  const auto workload = pattern_workload(128, 128, 256, "C1(4:8)->C0(2:4)", "uniform:0.5");
  const RunResult on = run_fabric(load_fabric("highlight"), workload);
  const RunResult off = run_fabric(load_fabric("highlight", {"energy.saf=false"}), workload);
  CHECK(off.energy.components.count("saf") == 0);
  // Its units' area is off too, and with it what leaks and how far the links lead.
  double units = 0;
  for (const char* name : {"saf", "select_rank0", "select_rank1", "fetch", "pack"}) {
    units += on.energy.components.at(name).picojoules;
    CHECK(off.energy.components.count(name) == 0);
  }
  for (const char* link : {"link_arrays", "link_memory"}) {
    units += on.energy.components.at(link).picojoules - off.energy.components.at(link).picojoules;
  }
  CHECK(on.energy.total_picojoules - off.energy.total_picojoules == test::Approx(units));
  CHECK(on.energy.area_um2 > off.energy.area_um2);
}

TEST_CASE("an operand that fits no pattern runs as the next denser one and the result says so") {
  const FabricSpec spec = load_fabric("highlight");
  const RunResult result = run(spec, 64, 64, 256, "uniform:0.5", "dense");
  CHECK(result.statistics.cycles_bound == Cycles(64 * 64 * 256 / 1024));
  REQUIRE(result.provenance.warnings.size() == 1);
  CHECK(result.provenance.warnings[0].find("density 0.5 runs as hss:C1(4:4)->C0(2:2)") !=
        std::string::npos);
  const RunResult stc = run(load_fabric("stc"), 256, 256, 256, "2:8", "dense");
  CHECK(stc.statistics.cycles_bound == Cycles(256 * 256 * 256 / 2048));
  REQUIRE(stc.provenance.warnings.size() == 1);
  CHECK(stc.provenance.warnings[0].find("runs as 2:4") != std::string::npos);
}

TEST_CASE("S2TA has no dense mode for A and takes n of 8 cycles for B") {
  const FabricSpec spec = load_fabric("s2ta");
  const RunResult dense = run(spec, 64, 64, 256, "dense", "dense");
  CHECK(dense.unsupported.find("no dense mode") != std::string::npos);
  CHECK(run(spec, 64, 64, 256, "5:8", "dense").unsupported.find("4:8") != std::string::npos);
  const std::uint64_t slots = 64 * 128 * 256 / 1024 / 2;
  const auto cycles = [&](const char* b) {
    return run(spec, 64, 128, 256, "4:8", b).statistics.bounds.at("compute").count();
  };
  CHECK(cycles("dense") == slots);
  CHECK(cycles("6:8") == slots);
  CHECK(cycles("5:8") == slots * 5 / 8);
  CHECK(cycles("2:8") == slots / 4);
}

TEST_CASE("DSSO skips both degrees") {
  const RunResult result = run(load_fabric("dsso"), 64, 128, 1024, "2:4", "C1(2:4)->C0(4:4)");
  CHECK(result.statistics.bounds.at("compute") == Cycles(64 * 128 * 1024 / 1024 / 4));
}

}  // namespace lacuna
