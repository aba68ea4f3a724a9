// SPDX-License-Identifier: Apache-2.0
// Networks and folders of pruned layers on machines; several products in one table.
#include <fstream>

#include "run/network/run.hpp"
#include "run/product/workload.hpp"
#include "study/matrix_folder.hpp"
#include "tests/catch.hpp"

namespace lacuna {
namespace {

using test::Approx;

NetworkWorkload shipped_network(const std::string& name, const std::string& weights = "dense") {
  NetworkWorkloadSpec spec;
  spec.network = name;
  spec.weights = weights;
  return make_network_workload(spec);
}

}  // namespace

TEST_CASE("a network costs the sum of its layers, and convolutions fetch their inputs once") {
  const FabricSpec tc = load_fabric("tc", {"overlap=false"});
  const RunResult r = run_network(tc, shipped_network("resnet50"), {});
  CHECK(r.macs_dense == 4'089'184'256);
  std::uint64_t cycles = 0;
  double energy = 0;
  for (const OperationReport& op : r.operations) {
    cycles += op.cycles.count() * op.times;
    energy += op.picojoules * static_cast<double>(op.times);
  }
  CHECK(r.statistics.cycles.count() == cycles);
  CHECK(r.energy.total_picojoules == Approx(energy));
  // Inflated by overlapping windows, the inputs alone would be more than three times this.
  CHECK(r.statistics.traffic.at("dram").at("B").read_bytes < 12'000'000);
  const RunResult half =
      run_network(load_fabric("highlight"), shipped_network("resnet50", "2:4"), {});
  CHECK(static_cast<double>(half.statistics.bounds.at("compute").count()) ==
        Approx(0.5 * static_cast<double>(r.statistics.bounds.at("compute").count())).epsilon(0.01));
}

TEST_CASE("a folder of pruned layers runs as it is, or re-pruned to what the machine exploits") {
  const std::filesystem::path folder = test::scratch("pruned");
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "one.smtx") << "4, 8, 6\n0 2 3 4 6 \n0 1 5 3 2 7 \n";
  std::ofstream(folder / "two.smtx") << "2, 8, 2\n0 1 2\n4 4\n";
  std::ofstream(folder / "columns.txt") << "one,32\n";
  NetworkWorkloadSpec spec;
  spec.network = "dlmc:" + folder.string();
  spec.columns = (folder / "columns.txt").string();
  spec.n = 16;
  const RunResult tc = run_network(load_fabric("tc"), make_network_workload(spec), {});
  CHECK(tc.macs_dense == 4 * 8 * 32 + 2 * 8 * 16);
  CHECK(tc.statistics.macs_effectual == 6 * 32 + 2 * 16);
  CHECK_FALSE(run_network(load_fabric("s2ta"), make_network_workload(spec), {}).operations.empty());
  spec.re_prune = true;
  const RunResult pruned = run_network(load_fabric("stc"), make_network_workload(spec), {});
  CHECK(pruned.statistics.macs_effectual <= tc.statistics.macs_effectual);
  CHECK(pruned.macs_skipped > 0);
  // The same on a machine that takes every nonzero.
  spec.re_prune = false;
  const RunResult sparse =
      run_network(machine_with("extensor-ob", {}), make_network_workload(spec), {});
  CHECK(sparse.statistics.macs_effectual == tc.statistics.macs_effectual);

  std::ofstream(folder / "columns.txt") << "one,32\nwrong\n";
  CHECK_THROWS_AS(make_network_workload(spec), InputError);
  spec.network = "dlmc:" + (folder / "nowhere").string();
  CHECK_THROWS_AS(make_network_workload(spec), InputError);
}

TEST_CASE("traced densities of activations are those of their layers") {
  const std::filesystem::path folder = test::scratch("traced");
  const std::string file = (folder / "densities.csv").string();
  std::ofstream(file) << "conv1,0.5\nstage2.0.spatial,0.25\n";
  NetworkWorkloadSpec spec;
  spec.network = "resnet50";
  spec.densities = file;
  const NetworkWorkload workload = make_network_workload(spec);
  for (const LayerWorkload& layer : workload.layers) {
    const double density = layer.instance.operands->b_density();
    const double want = layer.name == "conv1" ? 0.5 : layer.name == "stage2.0.spatial" ? 0.25 : 1;
    CHECK(density == Approx(want).epsilon(0.01));
  }
  std::ofstream(file) << "conv1,1.5\n";
  CHECK(test::error_of([&] { (void)make_network_workload(spec); }).find(":1") != std::string::npos);
  std::ofstream(file) << "conv9,0.5\n";
  CHECK(test::error_of([&] { (void)make_network_workload(spec); }).find("conv1") !=
        std::string::npos);
}

TEST_CASE("lists of patterns in a run file become a table of their cross product") {
  const ConfigReader reader(ConfigTree::parse(
      "gemm: 64x64x64\na: [dense, \"2:4\"]\nb: [dense, \"uniform:0.5\", \"uniform:0.25\"]\n",
      "w.yaml"));
  const auto all = read_workloads(reader, ".");
  reader.finish();
  REQUIRE(all.size() == 6);
  CHECK(all[0].a_pattern == "dense");
  CHECK(all[5].a_pattern == "2:4");
  CHECK(all[5].b_pattern == "uniform:0.25");
  // Each reproduces itself.
  const ConfigReader again(to_config(all[4]));
  CHECK(read_workload(again, ".").b_pattern == "uniform:0.5");
}

}  // namespace lacuna
