// SPDX-License-Identifier: Apache-2.0
// Sweeps: do points come in their order, is each what a run by itself says, is none run twice and
// none lost, and is what a file gets wrong told at its line?
#include <algorithm>
#include <cmath>
#include <fstream>
#include <set>

#include "base/file.hpp"
#include "base/random.hpp"
#include "study/sweep/run_sweep.hpp"
#include "study/sweep/summary.hpp"
#include "tests/catch.hpp"

using namespace lacuna;

namespace {

namespace fs = std::filesystem;

constexpr const char* kSweep = R"(name: small
machines: [tc, highlight]
workloads:
  - {gemm: 64x64x64, b: dense}
axes:
  - {key: levels.glb.capacity, from: 64 KiB, to: 256 KiB, steps: 3, scale: log}
  - {key: workload.a, values: [dense, "2:4"]}
constraints: [area <= 100 mm2]
objectives: [cycles, energy, max macs_effectual / cycles]
)";

fs::path write(const std::string& folder, const std::string& text) {
  const fs::path file = test::scratch(folder) / "sweep.yaml";
  std::ofstream(file) << text;
  return file;
}

SweepSpec load(const std::string& folder, const std::string& text) {
  return load_sweep(write(folder, text));
}

std::string refused(const std::string& text) {
  try {
    static_cast<void>(load("sweep-refused", text));
  } catch (const InputError& error) {
    return error.what();
  }
  return "nothing";
}

std::vector<SweepRow> rows(const SweepSpec& spec, const fs::path& store) {
  std::vector<SweepRow> out;
  SweepStore(store, spec).each([&](const SweepRow& row) { out.push_back(row); });
  return out;
}

SweepProgress run(const SweepSpec& spec, const fs::path& folder, SweepShard shard = {}) {
  SweepOptions options;
  options.jobs = 2;
  options.shard = shard;
  return run_sweep(spec, folder / "points.sqlite", folder, options);
}

void check_same(const std::vector<SweepRow>& a, const std::vector<SweepRow>& b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    CHECK(a[i].point.index == b[i].point.index);
    CHECK(a[i].result.id == b[i].result.id);
    CHECK(a[i].result.message == b[i].result.message);
    for (std::size_t v = 0; v < a[i].result.values.size(); ++v) {
      const double x = a[i].result.values[v], y = b[i].result.values[v];
      CHECK((x == y || (std::isnan(x) && std::isnan(y))));
    }
  }
}

}  // namespace

TEST_CASE("points are numbered with the workload slowest and the machine's last axis fastest") {
  const SweepSpec spec = load("sweep-order", kSweep);
  REQUIRE(spec.points() == 12);
  CHECK(spec.axes[0].name == "workload.a");
  CHECK(spec.axes[1].labels == std::vector<std::string>{"64 KiB", "128 KiB", "256 KiB"});
  std::vector<std::string> seen;
  for (std::uint64_t i = 0; i < spec.points(); ++i) {
    const SweepPoint point = point_of(spec, i);
    seen.push_back(fmt::format("{} {} {}", point.steps[0], point.machine, point.steps[1]));
  }
  CHECK(seen.front() == "0 tc 0");
  CHECK(seen[1] == "0 tc 1");
  CHECK(seen[3] == "0 highlight 0");
  CHECK(seen[6] == "1 tc 0");
  std::sort(seen.begin(), seen.end());
  CHECK(std::unique(seen.begin(), seen.end()) == seen.end());
}

TEST_CASE("a point is what the run by itself says") {
  const fs::path folder = test::scratch("sweep-points");
  const SweepSpec spec = load("sweep-points-file", kSweep);
  const SweepProgress end = run(spec, folder);
  CHECK(end.done == 12);
  CHECK(end.failed == 0);
  const auto all = rows(spec, folder / "points.sqlite");
  REQUIRE(all.size() == 12);
  for (const SweepRow& row : all) {
    const auto by_itself = run_plan(plan_of(spec, row.point), {});
    CHECK(row.result.values[0] == static_cast<double>(by_itself[0].statistics.cycles.count()));
    CHECK(row.result.values[2] == by_itself[0].energy.total_picojoules * 1e-12);
  }
}

TEST_CASE("what is finished never runs again, whichever sweep asks for it") {
  const fs::path folder = test::scratch("sweep-again");
  const SweepSpec spec = load("sweep-again-file", kSweep);
  CHECK(run(spec, folder).known == 0);
  CHECK(run(spec, folder).known == 12);
  std::string more = kSweep;
  more.replace(more.find("steps: 3"), 8, "steps: 5");  // 64, 91, 128, 181, 256
  const SweepSpec wider = load("sweep-again-wider", more);
  const SweepProgress end = run(wider, folder);
  CHECK(end.done == 20);
  CHECK(end.known == 12);
}

TEST_CASE("shards make the table that one process makes") {
  const SweepSpec spec = load("sweep-shards-file", kSweep);
  const fs::path whole = test::scratch("sweep-whole"), merged = test::scratch("sweep-merged");
  run(spec, whole);
  SweepStore store(merged / "points.sqlite", spec);
  std::uint64_t points = 0;
  for (std::uint64_t part = 1; part <= 5; ++part) {
    const fs::path shard = test::scratch(fmt::format("sweep-shard-{}", part));
    points += run(spec, shard, {part, 5}).points;
    store.merge(shard / "points.sqlite");
  }
  CHECK(points == 12);
  check_same(rows(spec, merged / "points.sqlite"), rows(spec, whole / "points.sqlite"));
}

TEST_CASE("a point that fails is a row with its message, and the others go on") {
  std::string text = kSweep;
  text.replace(text.find("values: [dense, \"2:4\"]"), 22, "values: [dense, \"9:4\"]");
  const SweepSpec spec = load("sweep-failing-file", text);
  const fs::path folder = test::scratch("sweep-failing");
  const SweepProgress end = run(spec, folder);
  CHECK(end.done == 12);
  CHECK(end.failed == 6);
  for (const SweepRow& row : rows(spec, folder / "points.sqlite")) {
    CHECK(row.result.failed == (row.point.steps[0] == 1));
    if (row.result.failed) CHECK_THAT(row.result.message, Catch::Matchers::Contains("9:4"));
  }
  SweepStore store(folder / "points.sqlite", spec);
  const SweepSummary summary = summarize(spec, store);
  CHECK(summary.failed == 6);
  CHECK_FALSE(summary.front.empty());
}

TEST_CASE("a value of an axis may be a mapping, a list or nothing") {
  const SweepSpec spec = load("sweep-mapping", R"yaml(
machines: [lacuna]
workloads: [{gemm: 64x64x64, a: dense, b: dense}]
axes:
  - key: levels.glb.holds.B
    values: [{policy: tailors, window: 8 KiB}, {policy: buffet, window: null}]
  - {key: units.macs.skips.A, values: [["2:4"], [dense]], labels: [two of four, none]}
)yaml");
  CHECK(spec.axes[1].labels[1] == "none");
  CHECK(spec.axes[0].labels[0] == "{policy: \"tailors\", window: \"8 KiB\"}");
  for (std::uint64_t i = 0; i < spec.points(); ++i) {
    CHECK(run_plan(plan_of(spec, point_of(spec, i)), {}).front().unsupported.empty());
  }
  const ConfigTree resolved = plan_of(spec, point_of(spec, 3)).machines.front().resolved;
  CHECK_THAT(resolved.to_yaml(), Catch::Matchers::Contains("buffet"));
}

TEST_CASE("seeds repeat what is drawn") {
  const SweepSpec spec = load("sweep-seeds-file", R"(
machines: [dstc]
workloads: [{gemm: 128x128x128, a: "uniform:0.5", b: "uniform:0.5"}]
repeat: 4
)");
  REQUIRE(spec.points() == 4);
  const fs::path folder = test::scratch("sweep-seeds");
  run(spec, folder);
  std::set<double> effectual;
  for (const SweepRow& row : rows(spec, folder / "points.sqlite")) {
    effectual.insert(row.result.values[10]);
  }
  CHECK(effectual.size() > 1);
}

TEST_CASE("expressions know measures and units, and say what they do not know") {
  const auto value = [](const std::string& text, std::size_t measure, double is) {
    std::vector<double> values(measures().size(), 0);
    values[measure] = is;
    return Expression(text).of(values);
  };
  CHECK(value("area <= 4 mm2", 5, 4) == 1);
  CHECK(value("area <= 4 mm2", 5, 4.01) == 0);
  CHECK(value("energy < 2 uJ", 2, 1.9e-6) == 1);
  CHECK(value("time == 3 ms", 1, 3e-3) == 1);
  CHECK(value("dram_bytes <= 2 KiB && cycles >= 0", 6, 2048) == 1);
  CHECK(value("cycles * 2 + 1", 0, 20) == 41);
  CHECK_THAT(Expression::problem("aera <= 4"), Catch::Matchers::Contains("area"));
  CHECK_THAT(Expression::problem("area = 4"), Catch::Matchers::Contains("=="));
  CHECK_FALSE(Expression::problem("area <=").empty());
  CHECK_FALSE(Expression::problem("").empty());
  CHECK_FALSE(Expression::problem("cycles, energy").empty());
}

TEST_CASE("what a sweep's file gets wrong is told with its line") {
  const auto with = [](const std::string& from, const std::string& to) {
    std::string text = kSweep;
    const auto at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
  };
  const auto contains = [](const std::string& text) { return Catch::Matchers::Contains(text); };
  CHECK_THAT(refused(with("machines: [tc, highlight]", "machines: []")), contains("machine"));
  CHECK_THAT(refused(with("objectives", "objectivs")), contains("objectives"));
  CHECK_THAT(refused(with("scale: log", "scale: cubic")), contains("linear"));
  CHECK_THAT(refused(with("from: 64 KiB", "from: 64 cycles")), contains("unit"));
  CHECK_THAT(refused(with("steps: 3", "steps: 1")), contains("steps"));
  CHECK_THAT(refused(with("values: [dense, \"2:4\"]", "value: [dense]")), contains("value"));
  CHECK_THAT(refused(with("area <= 100 mm2", "aera <= 100")), contains("aera"));
  CHECK_THAT(refused(with("workloads:\n  - {gemm: 64x64x64, b: dense}\n", "")), contains("list"));
  CHECK_THAT(refused(with("- {key: workload.a, values: [dense, \"2:4\"]}",
                          "- {linked: [{key: a.b, values: [1, 2]}, {key: c, values: [1]}]}")),
             contains("together"));
  CHECK_THAT(refused(with("steps: 3", "steps: 9999") + "repeat: 1000\n"), contains("points"));
}

TEST_CASE("the front is what no point beats, whatever the order") {
  RandomStream random(5, "fronts");
  for (int round = 0; round < 50; ++round) {
    std::vector<std::vector<double>> points;
    for (int i = 0; i < 60; ++i) {
      points.push_back({static_cast<double>(random.below(12)),
                        static_cast<double>(random.below(12)),
                        static_cast<double>(random.below(4))});
    }
    ParetoFront front;
    for (std::size_t i = 0; i < points.size(); ++i) front.add(i, points[i]);
    std::set<std::uint64_t> in, expected;
    for (const auto& member : front.members()) in.insert(member.point);
    for (std::size_t i = 0; i < points.size(); ++i) {
      const bool beaten = std::any_of(points.begin(), points.end(), [&](const auto& other) {
        bool no_worse = true, better = false;
        for (std::size_t c = 0; c < other.size(); ++c) {
          no_worse = no_worse && other[c] <= points[i][c];
          better = better || other[c] < points[i][c];
        }
        return no_worse && better;
      });
      if (!beaten) expected.insert(i);
    }
    CHECK(in == expected);
  }
  ParetoFront front;
  CHECK_FALSE(front.add(1, {1, std::nan("")}));
}

TEST_CASE("a sweep does not take another's points, and leaves them") {
  const fs::path mine = test::scratch("sweep-mine"), other = test::scratch("sweep-other");
  const SweepSpec spec = load("sweep-mine-file", kSweep);
  std::string text = kSweep;
  text.replace(text.find("256 KiB"), 7, "128 KiB");
  text.replace(text.find("name: small"), 11, "name: other");
  const SweepSpec another = load("sweep-other-file", text);
  run(another, other);
  const auto before = rows(another, other / "points.sqlite");
  SweepStore store(mine / "points.sqlite", spec);
  std::string refusal;
  try {
    store.merge(other / "points.sqlite");
  } catch (const InputError& error) {
    refusal = error.what();
  }
  CHECK(refusal.find("another sweep, 'other'") != std::string::npos);
  CHECK(store.count() == 0);
  check_same(rows(another, other / "points.sqlite"), before);
}

TEST_CASE("a point whose files have other contents is another point") {
  const fs::path folder = test::scratch("sweep-inputs");
  const fs::path configs = test::source_dir() / "configs";
  const auto write_inputs = [&](const char* mask, const char* price) {
    std::ofstream(folder / "mask") << mask;
    std::ofstream(folder / "base.yaml") << "extends: " << configs / "energy/45nm.yaml"
                                        << "\nvdd: " << price << '\n';
    std::ofstream(folder / "mine.yaml") << "extends: base.yaml\nname: mine\n";
  };
  const SweepSpec spec = load(
      "sweep-inputs-file",
      fmt::format("name: inputs\nmachines: [tc]\nworkloads:\n  - {{matrix: 'mask:file={0}/mask,"
                  "columns=8', dense_columns: 8}}\naxes:\n  - {{key: prices.table, values: "
                  "[{0}/mine.yaml]}}\n",
                  folder.string()));
  std::set<std::string> ids;
  const auto add = [&](const char* mask, const char* price) {
    write_inputs(mask, price);
    CHECK(run(spec, folder).failed == 0);
    ids.insert(rows(spec, folder / "points.sqlite").at(0).result.id);
  };
  add("10000000\n", "0.8");
  add("10000000\n", "0.8");
  CHECK(ids.size() == 1);
  add("11000000\n", "0.8");
  CHECK(ids.size() == 2);
  add("11000000\n", "0.9");
  CHECK(ids.size() == 3);
}

TEST_CASE("a file that is no sweep's is refused, and stays") {
  const fs::path folder = test::scratch("sweep-foreign");
  std::ofstream(folder / "points.sqlite") << "my own notes, which are long enough to be a header "
                                             "of a hundred bytes, so that it is looked at";
  const SweepSpec spec = load("sweep-foreign-file", kSweep);
  CHECK_THROWS_AS(SweepStore(folder / "points.sqlite", spec), InputError);
  CHECK(read_file(folder / "points.sqlite").starts_with("my own notes"));
}
