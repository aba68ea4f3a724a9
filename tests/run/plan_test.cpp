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

// 32 x 32 of A at 2:4 are 512 bytes, of B and of Z 1024 each. extensor-p moves values of 8 bytes
// with what tells their places.
TEST_CASE("a run whose operands its memory cannot hold is none, and says what they take") {
  RunArguments arguments = small_run();
  const auto refused = [&](const char* capacity) {
    arguments.settings = {std::string("memory.capacity=") + capacity};
    std::vector<std::string> out;
    for (const RunResult& result : run_plan(make_plan(arguments), {})) {
      CHECK((result.statistics.cycles == Cycles(0)) == !result.unsupported.empty());
      CHECK(result.resolved.find("machine") != nullptr);
      out.push_back(result.unsupported);
    }
    return out;
  };
  using test::contains;
  CHECK_THAT(refused("2560 B")[0], contains("memory.capacity"));
  CHECK(refused("2560 B")[1].empty());
  CHECK_THAT(refused("2559 B")[1], contains("at least 2560 bytes of memory, which holds 2559"));
  CHECK(refused("1 MiB") == std::vector<std::string>{"", ""});
  CHECK_THROWS_AS(refused("0 B"), InputError);
}

TEST_CASE("a network's weights lie in memory together, a layer's activations one after another") {
  RunArguments arguments;
  arguments.machines = {"tc"};
  arguments.network.network = "resnet50";
  // 25.5 million weights and at most 64 x 112^2 outputs beside 3 x 224^2 inputs.
  arguments.settings = {"memory.capacity=25 MB"};
  CHECK_FALSE(run_plan(make_plan(arguments), {})[0].unsupported.empty());
  arguments.settings = {"memory.capacity=28 MB"};
  CHECK(run_plan(make_plan(arguments), {})[0].unsupported.empty());
}
