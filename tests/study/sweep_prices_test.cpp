// SPDX-License-Identifier: Apache-2.0
// Sweeps and what things cost: are machines at equal area or power at equal area or power, what is
// a front worth when prices move, and does a loss stand beside its step?
#include <cmath>
#include <fstream>
#include <map>

#include "base/file.hpp"
#include "run/machine_prices.hpp"
#include "study/sweep/expression.hpp"
#include "study/sweep/perturb.hpp"
#include "study/sweep/run_sweep.hpp"
#include "tests/catch.hpp"

using namespace lacuna;

namespace {

namespace fs = std::filesystem;

SweepSpec spec_of(const std::string& folder, const std::string& text) {
  const fs::path file = test::scratch(folder) / "sweep.yaml";
  std::ofstream(file) << text;
  return load_sweep(file);
}

std::string problem_of(const std::string& text) {
  return test::error_of([&] { static_cast<void>(spec_of("sweep-prices-refused", text)); });
}

std::vector<SweepRow> run_all(const SweepSpec& spec, const fs::path& folder) {
  SweepOptions options;
  options.jobs = 2;
  run_sweep(spec, folder / "points.sqlite", folder, options);
  std::vector<SweepRow> out;
  SweepStore(folder / "points.sqlite", spec).each([&](const SweepRow& row) { out.push_back(row); });
  return out;
}

double area_of(const SweepSpec& spec, const SweepPoint& point) {
  return priced_machine(plan_of(spec, point).machines.front().spec).area().count() * 1e-6;
}

constexpr const char* kSmall = "workloads:\n  - {gemm: 64x64x64, a: \"2:4\", b: \"uniform:0.5\"}\n";

}  // namespace

TEST_CASE("at equal area each machine takes the largest step that the target leaves it") {
  const fs::path folder = test::scratch("sweep-iso-area");
  const SweepSpec spec = spec_of("sweep-iso-area-file", std::string(kSmall) + R"yaml(
machines: [tc, stc, highlight, lacuna]
axes: [{key: workload.a, values: [dense, "2:4"]}]
normalize:
  by: area
  at: tc
  axis: {key: levels.glb.capacity, from: 64 KiB, to: 512 KiB, steps: 113}
)yaml");
  const double target = priced_machine(load_fabric("tc")).area().count() * 1e-6;
  const auto all = run_all(spec, folder);
  REQUIRE(all.size() == 8);
  for (const SweepRow& row : all) {
    INFO(row.point.machine << ": " << row.result.message);
    REQUIRE_FALSE(row.result.failed);
    REQUIRE(row.point.normal);
    CHECK(row.result.values[kAreaMeasure] <= target);
    SweepPoint next = row.point;
    next.normal = *row.point.normal + 1;
    CHECK(area_of(spec, next) > target);
    CHECK(row.result.values[kAreaMeasure] == Approx(area_of(spec, row.point)).epsilon(1e-12));
  }
  // The dense machine gets its own buffer back, the others pay for their units.
  CHECK(spec.normalize->axis.labels[*all[0].point.normal] == "256 KiB");
  CHECK(*all[1].point.normal < *all[0].point.normal);
  CHECK(*all[2].point.normal < *all[1].point.normal);
}

TEST_CASE("at equal power no machine takes more, and one step further would") {
  const fs::path folder = test::scratch("sweep-iso-power");
  const SweepSpec spec = spec_of("sweep-iso-power-file", std::string(kSmall) + R"yaml(
machines: [tc, highlight]
normalize:
  by: power
  at: 450 mW
  axis:
    linked:
      - {key: memory.read, from: 2 B/cycle, to: 64 B/cycle, steps: 32}
      - {key: memory.write, from: 2 B/cycle, to: 64 B/cycle, steps: 32}
    name: bandwidth
)yaml");
  const auto all = run_all(spec, folder);
  REQUIRE(all.size() == 2);
  for (const SweepRow& row : all) {
    INFO(row.point.machine << ": " << row.result.message);
    REQUIRE_FALSE(row.result.failed);
    CHECK(row.result.values[kPowerMeasure] <= 0.450);
    SweepPoint next = row.point;
    next.normal = *row.point.normal + 1;
    const RunResult more = run_plan(plan_of(spec, next), {}).front();
    CHECK(measure(more)[kPowerMeasure] > 0.450);
  }
  // What was tried is kept: the second time nothing runs.
  SweepOptions options;
  CHECK(run_sweep(spec, folder / "points.sqlite", folder, options).known == 2);
}

TEST_CASE("a target that the axis does not reach fails the point, and says which way") {
  const auto message = [](const std::string& at) {
    const fs::path folder = test::scratch("sweep-out-of-reach");
    const SweepSpec spec = spec_of("sweep-out-of-reach-file", std::string(kSmall) +
                                                                  "machines: [tc]\nnormalize: {by: "
                                                                  "area, at: " +
                                                                  at +
                                                                  ", axis: {key: "
                                                                  "levels.glb.capacity, values: "
                                                                  "[64 KiB, 128 KiB]}}\n");
    return run_all(spec, folder).at(0).result.message;
  };
  CHECK_THAT(message("1 mm2"), test::contains("begin the axis lower"));
  CHECK_THAT(message("100 mm2"), test::contains("end the axis higher"));
}

TEST_CASE("a loss stands beside its step, and is an objective") {
  const fs::path folder = test::scratch("sweep-loss");
  const SweepSpec spec = spec_of("sweep-loss-file", std::string(kSmall) + R"yaml(
machines: [highlight]
axes:
  - {key: workload.a, values: [dense, "2:4", "C1(4:8)->C0(2:4)"], loss: highlight-resnet50}
objectives: [edp, loss]
)yaml");
  const auto all = run_all(spec, folder);
  REQUIRE(all.size() == 3);
  CHECK(all[0].result.values.back() == 0);
  CHECK(all[2].result.values.back() == 1.2);
  SweepStore store(folder / "points.sqlite", spec);
  const SweepSummary summary = summarize(spec, store);
  // Dense loses as little as 2:4 and costs more.
  REQUIRE(summary.front.size() == 2);
  CHECK(summary.front[0].point == 1);
  CHECK(summary.front[1].point == 2);
}

TEST_CASE("what a normalisation or a loss gets wrong is told") {
  const std::string start = std::string(kSmall) + "machines: [tc]\n";
  const auto axes = [&](const std::string& rest) {
    return start + "axes: [{key: workload.a, values: [dense, 2:4], " + rest + "}]\n";
  };
  CHECK_THAT(problem_of(axes("loss: [0]")), test::contains("2 values, its loss 1"));
  CHECK_THAT(problem_of(axes("loss: {dense: 0}")), test::contains("nothing is said of '2:4'"));
  CHECK_THAT(problem_of(axes("loss: {dense: 0, 2:4: much}")), test::contains("number"));
  CHECK_THAT(problem_of(axes("loss: nowhere")), test::contains("nowhere"));
  CHECK_THAT(problem_of(axes("labels: [one]")), test::contains("a name for each value"));
  CHECK_THAT(problem_of(axes("labels: [one, one]")), test::contains("a name for each value"));
  CHECK_THAT(problem_of(start + "objectives: [loss]\n"), test::contains("no axis says its loss"));
  const auto normalize = [&](const std::string& rest) {
    return start + "normalize: {" + rest + "}\n";
  };
  const std::string axis = "axis: {key: levels.glb.capacity, values: [64 KiB, 128 KiB]}";
  CHECK_THAT(problem_of(normalize("by: weight, at: tc, " + axis)), test::contains("power"));
  CHECK_THAT(problem_of(normalize("by: area, at: 3 W, " + axis)), test::contains("mm2"));
  CHECK_THAT(problem_of(normalize("by: area, " + axis)), test::contains("at"));
  CHECK_THAT(problem_of(normalize("by: area, at: tc")), test::contains("normalize.axis"));
  CHECK_THAT(problem_of(axes("name: n") +
                        "normalize: {by: area, at: tc, axis: {key: a, name: n, values: [1, 2]}}"),
             test::contains("an axis already"));
}

TEST_CASE("prices that move change energy and area by what they are a share of") {
  const fs::path folder = test::scratch("sweep-perturb");
  const SweepSpec spec = spec_of("sweep-perturb-file", std::string(kSmall) + R"yaml(
machines: [tc, highlight]
axes:
  - {key: levels.glb.capacity, values: [64 KiB, 128 KiB, 256 KiB]}
objectives: [cycles, energy, area]
)yaml");
  const auto all = run_all(spec, folder);
  SweepStore store(folder / "points.sqlite", spec);
  for (const SweepRow& row : all) {  // the shares are all of it
    double joules = 0, mm2 = 0;
    for (const ComponentShare& share : store.shares(row.result.id)) {
      joules += share.access_j + share.static_j;
      mm2 += share.mm2;
    }
    CHECK(joules == Approx(row.result.values[kEnergyMeasure]).epsilon(1e-9));
    CHECK(mm2 == Approx(row.result.values[kAreaMeasure]).epsilon(1e-9));
  }
  const Perturbation none = perturb(spec, store, 1e-9, 20);
  for (const PerturbedPrice& price : none.prices) {
    INFO(price.component);
    CHECK(price.leave.empty());
    CHECK(price.enter.empty());
  }
  std::map<std::string, std::string> standings;
  for (const PerturbedPrice& price : none.prices) {
    standings[price.component + ' ' + to_text(price.kind)] = price.standing;
  }
  CHECK(standings.count("mac access energy") == 1);   // computed
  CHECK(standings.count("dram access energy") == 0);  // published
  for (const PerturbedPoint& point : none.points) {
    CHECK(point.draws == (point.in_front ? none.draws : 0));
  }
}

TEST_CASE("a price that decides between two machines changes the front, and another does not") {
  const fs::path folder = test::scratch("sweep-decides");
  // Same work, same time; highlight has 2 % more area for its units and tc nothing instead.
  const SweepSpec spec = spec_of("sweep-decides-file", R"yaml(
machines: [tc, highlight]
workloads: [{gemm: 64x64x64, a: dense, b: dense}]
objectives: [area]
)yaml");
  run_all(spec, folder);
  SweepStore store(folder / "points.sqlite", spec);
  const Perturbation found = perturb(spec, store, 0.999, 50);
  REQUIRE(found.points.front().in_front);
  for (const PerturbedPrice& price : found.prices) {
    INFO(price.component << ' ' << to_text(price.kind) << ' ' << price.factor);
    CHECK(price.leave.empty());  // no price alone makes more units cheaper than none
    CHECK(price.enter.empty());
  }
  CHECK(found.points.front().draws == found.draws);
}
