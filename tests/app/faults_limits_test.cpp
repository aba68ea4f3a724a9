// SPDX-License-Identifier: Apache-2.0
// Faults of the first version: checks that did not check, and products that took memory first and
// were refused then.
#include <sys/resource.h>

#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "run/fabric/run.hpp"
#include "run/product/workload.hpp"
#include "tests/app/command.hpp"
#include "tests/catch.hpp"

using namespace lacuna;
using Json = nlohmann::json;
using lacuna::test::check_refused;
using lacuna::test::contains;
using lacuna::test::error_of;
using lacuna::test::Ran;
using lacuna::test::run_lacuna;
using lacuna::test::scratch;

namespace {

std::string matrix(const std::string& name, const std::string& entries) {
  const std::string path = (scratch("matrix") / name).string();
  write_file(path, "%%MatrixMarket matrix coordinate real general\n" + entries);
  return path;
}

}  // namespace

TEST_CASE("fault: --check fails with the place when values overflow, on every class of machine") {
  const std::string huge = matrix("huge.mtx", "2 2 3\n1 1 1e200\n1 2 1\n2 2 1e200\n");
  for (const char* arch : {"extensor", "tc", "dstc"}) {
    const Ran ran = run_lacuna(arch, {"run", "--arch", arch, "--matrix", huge, "--check"});
    INFO(arch << ran.err);
    CHECK(ran.code == 3);
    CHECK_THAT(ran.err, contains("differs from the reference: row 0, column 0 is inf"));
  }
}

TEST_CASE("fault: --check with a mac-array machine in the list checks those that can be checked") {
  const Ran ran =
      run_lacuna("mixed", {"run", "--arch", "extensor", "--arch", "tc", "--matrix",
                           "uniform:rows=2000,cols=2000,density=0.001", "--check", "--json"});
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  const Json results = Json::parse(ran.out);
  CHECK(results.at(0).at("check").at("passed") == true);
  CHECK(results.at(1).at("check").at("performed") == false);
  const std::string said = results.at(1).at("provenance").at("warnings").dump();
  CHECK_THAT(said, contains("not checked: a check steps through 8e+09 multiplies"));
}

TEST_CASE("a check that no machine of the list can make is refused before any of them runs") {
  check_refused("only arrays",
                {"run", "--arch", "tc", "--arch", "dstc", "--matrix",
                 "uniform:rows=2000,cols=2000,density=0.001", "--check"},
                "a check steps through 8e+09 multiplies");
}

TEST_CASE("a check of a flat product is refused for its memory, not its multiplies") {
  WorkloadSpec spec;
  spec.gemm = "60000x60000x1";
  const ProductWorkload workload = make_workload(spec, true, {});
  FabricOptions options;
  options.check = true;
  CHECK_THAT(
      error_of([&] { (void)run_fabric(load_fabric("tc"), fabric_workload(workload), options); }),
      contains("a check holds 3.6e+09 values"));
}

TEST_CASE("fault: a GEMM of too many nonzeros is refused before any is drawn, with the limit") {
  for (const char* arch : {"extensor", "extensor-ob"}) {
    check_refused(arch,
                  {"run", "--arch", arch, "--gemm", "100000x100000x100000", "--a", "uniform:0.5"},
                  "A and B have 1.5e+10 nonzeros; checks and machines that take every nonzero "
                  "(ExTensor's class) take 64000000 at most");
  }
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  CHECK(usage.ru_maxrss < 200 * 1024);  // KiB
  check_refused("mac-array", {"run", "--arch", "tc", "--gemm", "262144x1x262144"},
                "must fit 2 GiB");
  // Refused before a mapping is looked for, which took minutes.
  for (const char* gemm : {"100000x100000x100000", "1000000x1000000x16"}) {
    for (const char* arch : {"lacuna", "tc", "dstc"}) {
      check_refused("instructions", {"run", "--arch", arch, "--gemm", gemm}, "instructions on");
    }
  }
}

TEST_CASE("fault: compressed outputs that take hours to count are refused before the work starts") {
  // Every row of A meets every column of B in 2048 / 64 words.
  check_refused("highlight",
                {"run", "--arch", "highlight", "--gemm", "65536x65536x2048", "--a",
                 "uniform:0.0001", "--b", "uniform:0.0001"},
                "compares 1.37e+11 words of 64 bits, at most 1e+11 are taken");
}

TEST_CASE("a GEMM for machines that take bits alone has no limit of explicit nonzeros") {
  WorkloadSpec spec;
  spec.gemm = "8192x64x8192";
  spec.b_pattern = "uniform:0.5";
  CHECK_THAT(error_of([&] { (void)make_workload(spec, false, {}); }), contains("64000000 at most"));
  const FabricWorkload workload = make_gemm_occupancies(spec);
  CHECK(workload.name == "gemm-8192x64x8192-a-dense-b-uniform:0.5");
  CHECK(workload.operands().a().count() == std::uint64_t{8192} * 8192);
  // The same bits as by way of explicit rows.
  spec.gemm = "100x70x90";
  const FabricWorkload direct = make_gemm_occupancies(spec);
  const ProductWorkload rows = make_workload(spec, false, {});
  CHECK(direct.name == rows.name);
  CHECK(direct.operands().b_transposed().sample() == BitMatrix::from_csr(rows.b_transposed));
}
