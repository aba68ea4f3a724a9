// SPDX-License-Identifier: Apache-2.0
// Is every published number compared with the right simulated one, and does a wrong count show?
#include "study/published/comparison.hpp"

#include "base/file.hpp"
#include "tests/catch.hpp"

using namespace lacuna;
using namespace lacuna::validation;

namespace {

PublishedRun one_run() {
  return {.matrix = "m",
          .series = "reported",
          .machine = "extensor",
          .settings = {},
          .source = "somewhere",
          .numbers = {{"dram_A_bytes", 100, "published", Demand::exact, ""},
                      {"time_ns", 200, "published", Demand::bound, ""},
                      {"energy_mJ", 4, "published", Demand::beside, ""}}};
}

}  // namespace

TEST_CASE("a count that must be equal fails when it is not, or is missing") {
  const PublishedRun run = one_run();
  CHECK_FALSE(compare(run, {{{"dram_A_bytes", 100}}, {}})[0].failed);
  CHECK(compare(run, {{{"dram_A_bytes", 101}}, {}})[0].failed);
  CHECK(compare(run, {})[0].failed);
}

TEST_CASE("a published time stands beside the bound and the simulated time, and never fails") {
  const auto lines = compare(
      one_run(),
      {{{"dram_A_bytes", 100}, {"cycles_bound_ns", 190}, {"simulated_ns", 400}, {"energy_mJ", 8}},
       {{"simulated_ns", "stalls"}}});
  REQUIRE(lines.size() == 4);
  CHECK(lines[1].error_percent().value() == test::Approx(-5));
  CHECK(lines[2].error_percent().value() == test::Approx(100));
  CHECK(lines[2].remark == "stalls");
  CHECK(lines[3].error_percent().value() == test::Approx(100));
  for (const Comparison& line : lines) CHECK_FALSE(line.failed);
}

TEST_CASE("the shipped numbers are read, and agree with what they say of each other") {
  const auto runs = load_runs(published_file("extensor.yaml"));
  CHECK(runs.runs.size() >= 4);
  for (const PublishedRun& run : runs.runs) {
    CAPTURE(run.matrix, run.series);
    CHECK_FALSE(run.numbers.empty());
    CHECK_FALSE(run.source.empty());
  }
  for (const TailorsBars& bars : load_tailors(published_file("tailors.csv"))) {
    CAPTURE(bars.matrix);
    CHECK(bars.speed_ob_over_n / bars.speed_p_over_n ==
          test::Approx(bars.speed_ob_over_p).epsilon(0.002));
    CHECK(bars.energy_ob_over_n / bars.energy_p_over_n ==
          test::Approx(bars.energy_ob_over_p).epsilon(0.002));
  }
}

TEST_CASE("a broken row of bars is an error with its line") {
  const auto file = test::scratch("tailors") / "bars.csv";
  write_file(file, "# bars\nmatrix,a,b,c,d,e,f,g,h,i\nm,1,2,x,1,1,1,1,1,none\n");
  CHECK(test::error_of([&] { (void)load_tailors(file); }).find(":3: 'none'") != std::string::npos);
  write_file(file, "matrix,a,b\n");
  CHECK(test::error_of([&] { (void)load_tailors(file); }).find(":1: 3 fields") !=
        std::string::npos);
}
