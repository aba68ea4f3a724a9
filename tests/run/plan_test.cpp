// SPDX-License-Identifier: Apache-2.0
#include "run/plan.hpp"

#include "base/error.hpp"
#include "tests/catch.hpp"

using namespace lacuna;

namespace {

RunArguments small_run() {
  RunArguments arguments;
  arguments.machines = {"extensor-p", "stc"};
  arguments.workload.gemm = "32x32x32";
  arguments.workload.a_pattern = "2:4";
  return arguments;
}

}  // namespace

TEST_CASE("a plan runs every workload on every machine, and each result reproduces itself") {
  const RunPlan plan = make_plan(small_run());
  std::vector<std::string> read;
  const auto results = run_plan(plan, [&read](const std::string& what, double share) {
    if (share >= 1) read.push_back(what);
  });
  REQUIRE(results.size() == 2);
  for (std::size_t i = 0; i < results.size(); ++i) {
    CAPTURE(i);
    CHECK(results[i].name == plan.machines[i].name());
    REQUIRE(results[i].resolved.find("machine") != nullptr);
    CHECK(results[i].resolved.find("machine")->find("name")->scalar == results[i].name);
    CHECK(results[i].resolved.find("workload")->find("gemm")->scalar == "32x32x32");
    CHECK(results[i].resolved.find("fidelity")->scalar == "tile");
  }
  CHECK(!read.empty());
  CHECK(run_plan(plan, {}).size() == 2);  // nobody watches
}

TEST_CASE("a plan without a machine, without a workload or with two is refused") {
  RunArguments arguments = small_run();
  arguments.machines.clear();
  CHECK_THROWS_AS(make_plan(arguments), InputError);
  arguments = small_run();
  arguments.workload.gemm.clear();
  CHECK_THROWS_AS(make_plan(arguments), InputError);
  arguments = small_run();
  arguments.model.model = "deepseek-v2-lite";
  CHECK_THROWS_AS(make_plan(arguments), InputError);
  arguments = small_run();
  arguments.fidelity = "tiles";
  CHECK_THROWS_AS(make_plan(arguments), InputError);
}
