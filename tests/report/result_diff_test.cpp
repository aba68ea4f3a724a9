// SPDX-License-Identifier: Apache-2.0
// Does a comparison of two results name every value that differs and no other, with what was set?
#include "report/result_diff.hpp"

#include <fstream>

#include "base/error.hpp"
#include "tests/catch.hpp"

using namespace lacuna;
using namespace lacuna::report;

namespace {

namespace fs = std::filesystem;

fs::path result(const std::string& name, const std::string& json, const std::string& yaml = {}) {
  const fs::path folder = test::scratch("result-diff/" + name);
  std::ofstream(folder / "result.json") << json;
  if (!yaml.empty()) std::ofstream(folder / "resolved.yaml") << yaml;
  return folder;
}

const char* const kA =
    R"({"name": "tc", "workload": "w", "cycles": 100, "energy_pj": {"total": 8.0, "components":
    {"mac": 3.0}}, "traffic": {"dram": {"A": {"read_bytes": 10}}}, "host": {"wall_s": 1.0}})";
const char* const kB =
    R"({"name": "tc", "workload": "w", "cycles": 150, "energy_pj": {"total": 8.0, "components":
    {"mac": 30.0}}, "traffic": {"dram": {"A": {"read_bytes": 20}}}, "host": {"wall_s": 2.0},
    "extra": 1})";

}  // namespace

TEST_CASE("values that differ are named, what people look at first, then the largest factors") {
  const auto runs = compare_results(result("a", kA), result("b", kB));
  REQUIRE(runs.size() == 1);
  const auto& values = runs[0].values;
  REQUIRE(values.size() == 4);
  CHECK(values[0].path == "cycles");
  CHECK(*values[0].ratio == 1.5);
  CHECK(values[1].path == "traffic.dram.A.read_bytes");
  CHECK(values[2].path == "energy_pj.components.mac");
  CHECK(values[3].path == "extra");
  CHECK(values[3].a.empty());
  CHECK_FALSE(runs[0].compared_configuration);
}

TEST_CASE("a result does not differ from itself") {
  const fs::path a = result("same", kA, "machine: {clock: 1 GHz}\n");
  const auto runs = compare_results(a, a / "result.json");
  CHECK(runs[0].values.empty());
  CHECK(runs[0].compared_configuration);
  CHECK(runs[0].configuration.empty());
}

TEST_CASE("configurations are compared key by key, entries of lists by their names") {
  const auto runs = compare_results(
      result("left", kA, "machine: {levels: [{name: glb, capacity: 64 KiB}], clock: 1 GHz}\n"),
      result("right", kB, "machine: {levels: [{name: glb, capacity: 1 MiB}], clock: 1 GHz}\n"));
  REQUIRE(runs[0].configuration.size() == 1);
  CHECK(runs[0].configuration[0].path == "machine.levels.glb.capacity");
  CHECK(runs[0].configuration[0].b == "1 MiB");
  CHECK_THAT(differences_text(runs, 1), Catch::Matchers::Contains("and 3 more"));
}

TEST_CASE("what is no result, or has another number of runs, is refused") {
  const fs::path a = result("one", kA);
  CHECK_THROWS_AS(compare_results(a, result("two", std::string("[") + kA + "," + kB + "]")),
                  InputError);
  CHECK_THROWS_AS(compare_results(a, result("none", "{\"cycles\": 1}")), InputError);
  CHECK_THROWS_AS(compare_results(a, result("text", "cycles")), InputError);
  CHECK_THROWS_AS(compare_results(a, a / "nowhere"), InputError);
}
