// SPDX-License-Identifier: Apache-2.0
// Element fidelity: do arrays whose time is stepped through agree with those that take it from
// sums, within 5 % in the median and 15 % at worst beside fill and drain, and count the same?
#include <fmt/format.h>

#include <algorithm>

#include "arch/compute/arrays/arrays.hpp"
#include "arch/system/array_system.hpp"
#include "base/random.hpp"
#include "run/fabric/run.hpp"
#include "tests/catch.hpp"

using namespace lacuna;

namespace {

struct Opinions {
  std::string what;
  ArrayRun fast, stepped;
  /// Of the difference, what fill and drain do not allow, over the fast cycles.
  [[nodiscard]] double apart() const {
    const auto x = static_cast<double>(fast.cycles.count()),
               y = static_cast<double>(stepped.cycles.count());
    return std::max(0.0, std::abs(x - y) - fast.fill_and_drain) / x;
  }
};

Opinions opinions(const FabricSpec& spec, const FabricWorkload& workload) {
  Opinions out;
  out.what = fmt::format("{} on {}", workload.name, spec.name);
  for (const bool stepped : {false, true}) {
    const FabricPlan plan = compile_fabric(spec, workload.instances);
    REQUIRE(plan.unsupported.empty());
    ArrayRunOptions options;
    options.stepped = stepped;
    (stepped ? out.stepped : out.fast) = spec.shared
                                             ? run_shared_program(spec, plan.shared, options)
                                             : run_array_program(spec, plan.program, options);
  }
  return out;
}

const std::vector<std::pair<const char*, std::pair<const char*, const char*>>> kSteppedRuns{
    {"tc", {"dense", "dense"}},
    {"stc", {"2:4", "uniform:0.5"}},
    {"stc-flexible-dual", {"2:8", "uniform:0.4"}},
    {"s2ta", {"4:8", "3:8"}},
    {"dsso", {"C1(4:4)->C0(2:4)", "dense"}},
    {"highlight", {"C1(4:8)->C0(2:4)", "uniform:0.3"}},
    {"highlight", {"dense", "uniform:0.7"}},
    {"lacuna", {"uniform:0.3", "uniform:0.3"}},
    {"lacuna-l2", {"2:4", "uniform:0.4"}},
    {"dstc", {"uniform:0.3", "uniform:0.4"}},
    {"dstc", {"uniform:0.05", "uniform:0.9"}},
    {"published/dstc-validation", {"uniform:0.3", "uniform:0.2"}},
    {"published/gemm-2048-dense", {"dense", "dense"}},
    {"systolic-ws", {"dense", "dense"}},
    {"systolic-os", {"dense", "uniform:0.5"}}};

}  // namespace

TEST_CASE("stepped arrays take the time of those that count, within a few per cent") {
  RandomStream random(11, "second opinion");
  std::vector<double> apart;
  for (int round = 0; round < 3; ++round) {
    for (const auto& [machine, operands] : kSteppedRuns) {
      const auto edge = [&] { return 16 + random.below(300); };
      const std::uint64_t m = edge(), n = edge(), k = edge();
      const Opinions pair =
          opinions(load_fabric(machine),
                   pattern_workload(m, n, k, operands.first, operands.second, random.below(100)));
      INFO(fmt::format("{}: {} and {} cycles", pair.what, pair.fast.cycles.count(),
                       pair.stepped.cycles.count()));
      CHECK(pair.stepped.dram_a == pair.fast.dram_a);
      CHECK(pair.stepped.dram_b == pair.fast.dram_b);
      CHECK(pair.stepped.dram_z == pair.fast.dram_z);
      CHECK(pair.stepped.slots == pair.fast.slots);
      CHECK(pair.stepped.counts.mac_compute == pair.fast.counts.mac_compute);
      CHECK(pair.stepped.counts.glb_b.data == pair.fast.counts.glb_b.data);
      CHECK(pair.apart() < 0.15);
      apart.push_back(pair.apart());
    }
  }
  std::sort(apart.begin(), apart.end());
  CHECK(apart[apart.size() / 2] < 0.05);
}

// By hand: a window of 8 positions takes 64 x 8 words of A, 16 x 8 of B and, every other step, the
// 64 x 16 sums: 1152 words in the mean through a port of 64 a cycle, 18 cycles where the lanes
// take 16.
TEST_CASE("partial sums that come back pass the port of stepped arrays too") {
  const Opinions pair = opinions(load_fabric("published/gemm-2048-dense"),
                                 pattern_workload(64, 16, 2048, "dense", "dense"));
  CHECK(pair.stepped.cycles >= Cycles(256 * 18));
  CHECK(pair.fast.cycles >= Cycles(256 * 18));
}

// A degree of B makes slots a mean; without gating each is a multiply, which no step can be held
// against.
TEST_CASE("values are stepped through where a degree of B is skipped and nothing is gated") {
  ProductWorkload product;
  product.a = from_entries(3, 2, {{0, 0, 1.0}, {2, 1, 2.0}}, false);
  product.b_transposed = from_entries(2, 2, {{0, 0, 3.0}}, false);
  FabricWorkload workload = fabric_workload(product);
  workload.values = &product;
  FabricOptions options;
  options.fidelity = Fidelity::element;
  const RunResult result =
      run_fabric(load_fabric("s2ta", {"units.macs.gates=[]"}), workload, options);
  CHECK(result.check.passed);
}

TEST_CASE("the last block of a pattern of B is stored whole where K ends within it") {
  ProductWorkload product;
  product.a = from_entries(1, 2, {{0, 0, 1.0}, {0, 1, 2.0}}, false);
  std::vector<Entry> entries;
  for (Coordinate n = 0; n < 10; ++n) entries.insert(entries.end(), {{n, 0, 1.0}, {n, 1, 1.0}});
  product.b_transposed = from_entries(10, 2, entries, false);
  const RunResult result = run_fabric(load_fabric("s2ta"), fabric_workload(product));
  REQUIRE(result.unsupported.empty());
  CHECK(result.statistics.traffic.at("dram").at("B").read_bytes >= 20);
}

// 2 x 2 outputs: a nonzero and half a byte of mask, each time.
TEST_CASE("outputs of several products leave in whole bytes each") {
  ProductWorkload product;
  product.a = from_entries(2, 2, {{0, 0, 1.0}}, false);
  product.b_transposed = from_entries(2, 2, {{0, 0, 1.0}}, false);
  FabricWorkload workload = fabric_workload(product);
  workload.instances.push_back(workload.instances.front());
  workload.instances.front().times = 3;
  const RunResult result = run_fabric(load_fabric("highlight"), workload);
  const std::uint64_t one = result.statistics.traffic.at("dram").at("Z").write_bytes / 4;
  CHECK(result.statistics.traffic.at("dram").at("Z").write_bytes == 4 * one);
}

// Six bytes are fetched where metadata end within one: priced as six, not as 5.78.
TEST_CASE("parts of a byte that memory moves are priced as the bytes that they are") {
  ProductWorkload product;
  product.a = from_entries(1, 2, {{0, 0, 1.0}, {0, 1, 2.0}}, false);
  product.b_transposed = from_entries(2, 2, {}, false);
  const RunResult result = run_fabric(load_fabric("stc-flexible-dual"), fabric_workload(product));
  std::uint64_t bytes = 0;
  for (const auto& [tensor, moved] : result.statistics.traffic.at("dram")) {
    bytes += moved.read_bytes + moved.write_bytes;
  }
  const double byte_pj = 64;  // 8 pJ a bit
  double moved_pj = 0;        // beside what passing time costs
  for (const auto& [action, pj] : result.energy.components.at("dram").by_action) {
    if (action != "background") moved_pj += pj;
  }
  CHECK(moved_pj == Approx(static_cast<double>(bytes) * byte_pj));
}

TEST_CASE("the wavefront of a systolic array takes the law's cycles, exactly") {
  const std::vector<std::string> pattern{"units.array.skips={A: [\"2:4\"]}"};
  for (const FabricSpec& machine : {load_fabric("systolic-ws"), load_fabric("systolic-ws", pattern),
                                    load_fabric("systolic-os")}) {
    for (const auto& [m, n, k] :
         {std::tuple(128, 200, 256), std::tuple(100, 1, 130), std::tuple(260, 77, 64)}) {
      const Opinions pair = opinions(
          machine, pattern_workload(static_cast<std::uint64_t>(m), static_cast<std::uint64_t>(n),
                                    static_cast<std::uint64_t>(k), "2:4", "dense"));
      INFO(pair.what);
      CHECK(pair.stepped.cycles == pair.fast.cycles);
    }
  }
}
