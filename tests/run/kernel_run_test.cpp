// SPDX-License-Identifier: Apache-2.0
// Einsums of a workload file on machines of every kind, in both fidelities.
#include "base/file.hpp"
#include "run/plan.hpp"
#include "tests/arch/same_run.hpp"
#include "tests/catch.hpp"

using namespace lacuna;

namespace {

std::string tensor_file() {
  std::string text;
  for (int i = 1; i <= 12; ++i) {
    for (int j = 1; j <= 9; ++j) {
      for (int k = 1; k <= 10; ++k) {
        if ((3 * i + 5 * j + 7 * k) % 11 < 2)
          text += fmt::format("{} {} {} 0.{}\n", i, j, k, i + j);
      }
    }
  }
  const auto file = test::scratch("tensor") / "t.tns.gz";
  write_file(file, text);
  return file.string();
}

std::vector<RunResult> run_kernel(const std::string& workload, const std::string& fidelity,
                                  std::vector<std::string> machines) {
  RunArguments arguments;
  arguments.machines = std::move(machines);
  arguments.workload_tree = ConfigTree::parse(workload, "kernel.yaml");
  arguments.fidelity = fidelity;
  arguments.check = true;
  return run_plan(make_plan(arguments), {});
}

const std::vector<std::string> kMachines{"extensor-ob", "gamma",       "lacuna",
                                         "dstc",        "systolic-os", "eyeriss-v2-pe"};

}  // namespace

TEST_CASE("tensor kernels run on machines of every kind, counted exactly and checked") {
  const std::string t = tensor_file();
  const std::string a4 = "sizes: {b: 3, m: 20, k: 24, n: 10}";
  const std::vector<std::string> workloads{
      "einsum: \"Z[i,r] = T[i,j,k] * B[j,r] * C[k,r]\"\noperands: {T: " + t +
          ", B: dense, C: dense}\nsizes: {r: 4}",
      "einsum: \"Z[i,j,r] = T[i,j,k] * B[k,r]\"\noperands: {T: " + t +
          ", B: \"density:0.5\"}\nsizes: {r: 4}",
      "einsum: \"Z[i,j] = T[i,j,k] * v[k]\"\noperands: {T: " + t + ", v: dense}",
      "einsum: \"Z[m,n] = A[m,k] * B[k,n]\"\noperands: {A: \"rmat:rows=64,edges=400\", B: dense}\n"
      "sizes: {n: 8}",
      "einsum: \"Z[b,m,n] = A[b,m,k] * B[b,k,n]\"\noperands: {A: \"density:0.2\", B: dense}\n" +
          a4};
  for (const std::string& workload : workloads) {
    INFO(workload);
    const auto tile = run_kernel(workload, "tile", kMachines);
    const auto element = run_kernel(workload, "element", kMachines);
    for (std::size_t i = 0; i < kMachines.size(); ++i) {
      INFO(kMachines[i]);
      CHECK(tile[i].check.performed);
      CHECK(tile[i].check.passed);
      CHECK(element[i].check.passed);
      test::check_same_counts(tile[i].statistics, element[i].statistics);
      CHECK(tile[i].statistics.macs_effectual == tile[0].statistics.macs_effectual);
      CHECK(tile[i].macs_dense == tile[0].macs_dense);
    }
  }
}

TEST_CASE("sampled products run where outputs can be left out, counted exactly and checked") {
  const std::vector<std::string> able{"extensor", "extensor-n", "extensor-p", "extensor-ob",
                                      "gamma"};
  const std::string equation = "einsum: \"P[h,q,t] = W[q,t] * Q[h,q,d] * K[h,t,d]\"\n";
  const std::string sizes = "sizes: {h: 2, q: 48, d: 20, t: 48}";
  const std::vector<std::pair<std::string, std::uint64_t>> workloads{
      {equation + "operands: {W: \"ones:banded:rows=48,half-bandwidth=5\", Q: dense, K: dense}\n" +
           sizes,
       0},
      {equation + "operands: {W: \"banded:rows=48,half-bandwidth=5\", Q: dense, K: dense}\n" +
           sizes,
       2 * (48 * 11 - 30)},
      {equation + "operands: {W: \"density:0.2\", Q: \"density:0.3\", K: \"density:0.3\"}\n" +
           sizes,
       ~std::uint64_t{0}}};
  for (const auto& [workload, by_s] : workloads) {
    INFO(workload);
    const auto tile = run_kernel(workload, "tile", able);
    const auto element = run_kernel(workload, "element", able);
    for (std::size_t i = 0; i < able.size(); ++i) {
      INFO(able[i]);
      REQUIRE(tile[i].check.performed);
      CHECK(tile[i].check.passed);
      CHECK(element[i].check.passed);
      test::check_same_counts(tile[i].statistics, element[i].statistics);
      CHECK(tile[i].statistics.macs_effectual == tile[0].statistics.macs_effectual);
      CHECK(tile[i].statistics.z_nonzeros == tile[0].statistics.z_nonzeros);
      CHECK(tile[i].statistics.traffic.at("dram").at("S").read_bytes > 0);
      if (by_s != ~std::uint64_t{0}) {  // Q and K are dense: 20 multiplies at each place
        CHECK(tile[i].beside.at("multiplies_by_S") == by_s);
        CHECK(tile[i].statistics.macs_effectual == 2 * (48 * 11 - 30) * 20);
      }
    }
  }
}

TEST_CASE("machines that make all outputs of a tile refuse a sampled product") {
  const std::string workload =
      "einsum: \"Z[m,n] = S[m,n] * A[m,k] * B[k,n]\"\n"
      "operands: {S: \"density:0.1\", A: dense, B: dense}\nsizes: {m: 16, k: 16, n: 16}";
  for (const RunResult& result :
       run_kernel(workload, "tile", {"tc", "dstc", "lacuna", "systolic-os", "eyeriss-v2-pe"})) {
    INFO(result.name);
    CHECK_THAT(result.unsupported, test::contains("S samples the outputs (SDDMM), over m and n"));
  }
}

// By hand: 3 products of 20 x 24 x 10; dense operands, every multiply effectual.
TEST_CASE("a batch is the sum of its products, and its result reproduces itself") {
  const std::string workload =
      "einsum: \"Z[b,m,n] = A[b,m,k] * B[b,k,n]\"\noperands: {A: dense, B: dense}\n"
      "sizes: {b: 3, m: 20, k: 24, n: 10}";
  for (const RunResult& result : run_kernel(workload, "tile", {"gamma", "tc"})) {
    CHECK(result.statistics.macs_effectual == 3 * 20 * 24 * 10);
    CHECK(result.beside.at("products_executed") == 3);
    CHECK(result.workload == "Z-bmn-A-bmk-B-bkn");
    const ConfigTree* again = result.resolved.find("workload");
    REQUIRE(again != nullptr);
    const auto second = run_kernel(again->to_yaml(), "tile", {result.name});
    CHECK(second.front().statistics.cycles == result.statistics.cycles);
    CHECK(second.front().energy.total_picojoules == result.energy.total_picojoules);
  }
}

TEST_CASE("operands of an einsum that do not fit together are refused") {
  const auto says = [](const std::string& workload, const std::string& part) {
    INFO(workload);
    CHECK_THAT(test::error_of([&] { (void)run_kernel(workload, "tile", {"gamma"}); }),
               test::contains(part));
  };
  const std::string product = "einsum: \"Z[m,n] = A[m,k] * B[k,n]\"\n";
  says("einsum: \"Z[m,n] = A[m,k\"\noperands: {A: dense}", "expected ']'");
  says(product + "operands: {A: dense}\nsizes: {m: 4, k: 4, n: 4}", "what B is, is not said");
  says(product + "operands: {A: dense, B: dense, C: dense}\nsizes: {m: 4, k: 4, n: 4}",
       "the equation has no C");
  says(product + "operands: {A: dense, B: dense}\nsizes: {m: 4, k: 4}",
       "how long the rank n of B is, is not said");
  says(product + "operands: {A: dense, B: dense}\nsizes: {m: 4, k: 4, n: 4, o: 4}",
       "the equation has no o");
  says(product + "operands: {A: \"density:2\", B: dense}\nsizes: {m: 4, k: 4, n: 4}",
       "has no density");
  says(product + "operands: {A: \"mesh2d:nx=3,ny=3\", B: \"mesh2d:nx=4,ny=3\"}",
       "the rank k has 12 places in B and 9 in A");
  says(product + "operands: {A: dense, B: dense}\nsizes: {m: 268435456, k: 268435456, n: 4}",
       "are not drawn");
  says(
      "einsum: \"Z[m,q] = A[m,k] * B[k,n]\"\noperands: {A: dense, B: dense}\n"
      "sizes: {m: 4, k: 4, n: 4}",
      "rank 'q'");
  says(
      "einsum: \"Z[m,n,o] = A[m,k,o] * B[k,n]\"\noperands: {A: \"mesh2d:nx=3,ny=3\", B: dense}\n"
      "sizes: {n: 4, o: 2}",
      "has 2 ranks, A has 3");
  says(product + "operands: {A: dense, B: dense}\nsizes: {m: 4, k: 4, n: 4}\nmatrix: a.mtx",
       "unknown key 'matrix'");
}
