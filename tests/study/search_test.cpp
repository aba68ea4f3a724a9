// SPDX-License-Identifier: Apache-2.0
// Searches: is the budget kept to the point, does the same seed choose the same points, does a
// tenth of a space find its front, and what is a point worth that breaks a constraint?
#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <numeric>
#include <set>

#include "study/sweep/hypervolume.hpp"
#include "study/sweep/run_search.hpp"
#include "study/sweep/search.hpp"
#include "tests/catch.hpp"

using namespace lacuna;

namespace {

namespace fs = std::filesystem;

using Numbers = std::vector<std::uint64_t>;
using Costs = std::vector<std::vector<double>>;

SweepSearch nsga2(std::uint64_t budget, std::uint64_t population, std::uint64_t seed) {
  return {SweepSearch::Algorithm::nsga2, budget, population, seed};
}

/// The points that a search asks for, in their order.
Numbers asked(const SweepSearch& search, const Numbers& digits, std::size_t objectives,
              const std::function<std::vector<double>(std::uint64_t)>& costs) {
  Numbers out;
  search_points(search, digits, objectives, [&](const Numbers& numbers) {
    Costs worth;
    for (const std::uint64_t number : numbers) worth.push_back(costs(number));
    out.insert(out.end(), numbers.begin(), numbers.end());
    return worth;
  });
  return out;
}

/// Of each of four digits of ten: far from one corner, and far from the other.
std::vector<double> two_corners(std::uint64_t number) {
  double a = 0, b = 0;
  for (int i = 0; i < 4; ++i, number /= 10) {
    const auto digit = static_cast<double>(number % 10);
    a += digit * digit;
    b += (9 - digit) * (9 - digit);
  }
  return {a, b};
}

std::vector<ParetoFront::Member> front_of(const Numbers& points, const Costs& costs) {
  ParetoFront front;
  for (const std::uint64_t point : points) front.add(point, costs[point]);
  return front.members();
}

fs::path sweep_in(const std::string& folder, const std::string& text) {
  const fs::path file = test::scratch(folder) / "sweep.yaml";
  std::ofstream(file) << text;
  return file;
}

std::vector<SweepRow> rows_in(const SweepSpec& spec, const fs::path& folder) {
  std::vector<SweepRow> out;
  SweepStore(folder / "points.sqlite", spec).each([&](const SweepRow& row) { out.push_back(row); });
  return out;
}

std::vector<SweepRow> searched(const SweepSpec& spec, const std::string& name, unsigned jobs) {
  const fs::path folder = test::scratch(name);
  SweepOptions options;
  options.jobs = jobs;
  CHECK(run_search(spec, folder / "points.sqlite", folder, options).done == spec.search->budget);
  return rows_in(spec, folder);
}

constexpr const char* kSearched = R"(
machines: [tc, highlight]
workloads: [{gemm: 64x64x64, b: dense}]
axes:
  - {key: levels.glb.capacity, from: 64 KiB, to: 256 KiB, steps: 16}
  - {key: workload.a, values: [dense, "2:4", "9:4"]}
constraints: [area <= 100 mm2]
search: {algorithm: nsga2, budget: 40, population: 12, seed: 3}
)";

}  // namespace

TEST_CASE("a search asks for as many points as its budget, and for none twice") {
  for (const std::uint64_t budget : {100U, 2000U, 9990U}) {
    const Numbers points = asked(nsga2(budget, 20, 1), {10, 1, 10, 10, 10}, 2, two_corners);
    CHECK(points.size() == budget);
    CHECK(std::set<std::uint64_t>(points.begin(), points.end()).size() == budget);
    CHECK(*std::max_element(points.begin(), points.end()) < 10'000);
  }
}

TEST_CASE("the same seed chooses the same points, another one others") {
  const auto points = [](std::uint64_t seed) {
    return asked(nsga2(300, 20, seed), {10, 10, 10, 10}, 2, two_corners);
  };
  CHECK(points(1) == points(1));
  CHECK(points(1) != points(2));
}

TEST_CASE("a search has no threads when points are to be run in processes") {
  const std::filesystem::directory_iterator end;
  const auto threads = [&] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/task"), end);
  };
  const auto before = threads();
  static_cast<void>(asked(nsga2(800, 200, 1), {10, 10, 10, 10}, 2, [&](std::uint64_t n) {
    CHECK(threads() == before);
    return two_corners(n);
  }));
}

TEST_CASE("a search for one objective finds the best point") {
  // a + b is least where every digit is 4 or 5; a alone tells them apart.
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const Numbers points = asked(nsga2(1000, 20, seed), {10, 10, 10, 10}, 1, [](std::uint64_t n) {
      const auto corners = two_corners(n);
      return std::vector<double>{corners[0] + corners[1] + corners[0] / 1000};
    });
    CHECK(std::count(points.begin(), points.end(), 4444) == 1);
  }
}

TEST_CASE("the hypervolume is the share of the box that a front covers") {
  const auto share = [](const Costs& costs, const std::vector<double>& reference) {
    std::vector<ParetoFront::Member> front;
    for (const auto& point : costs) front.push_back({front.size(), point});
    return hypervolume_share(front, std::vector<double>(reference.size(), 0), reference);
  };
  CHECK(share({{1, 5}, {2, 2}}, {4, 10}) == Approx((3 * 5 + 2 * 8 - 2 * 5) / 40.0));
  CHECK(share({{1, 5}, {2, 2}}, {2, 10}) ==
        Approx(0.25));  // on the border: nothing of it is inside
  CHECK(share({{4, 1}}, {4, 10}) == 0);
  CHECK(share({{0, 0}}, {4, 10}) == 1);
  CHECK(share({{3, 7}}, {4, 0}) == Approx(0.25));  // a side without extent
  CHECK(share({{0}}, {0}) == 1);
  CHECK(share({{1, 2, 3}}, {2, 4, 6}) == Approx(0.125));
  CHECK_FALSE(hypervolume_is_quick(2000, 8));
}

TEST_CASE("what breaks a constraint is worse than all that hold, and what failed is worst") {
  SweepSpec spec;
  spec.objectives = {{"cycles", false}, {"energy", true}};
  spec.constraints = {"area <= 4 mm2", "cycles < 100"};
  const SweepJudge judge(spec);
  const auto worth = [&](double cycles, double area, bool failed = false) {
    SweepResult result;
    result.failed = failed;
    result.values.assign(measures().size(), 0);
    result.values[0] = cycles;
    result.values[kEnergyMeasure] = 7;
    result.values[kAreaMeasure] = area;
    return worth_of(judge, result);
  };
  CHECK(worth(99, 4) == std::vector<double>{99, -7});
  const auto worse = [](const std::vector<double>& a, const std::vector<double>& b) {
    return a[0] > b[0] && a[1] > b[1];
  };
  CHECK(worse(worth(99, 5), worth(99, 4)));
  CHECK(worth(1, 5) == worth(99, 6));
  CHECK(worse(worth(100, 5), worth(1, 5)));
  CHECK(worse(worth(1, 4, true), worth(100, 5)));
  CHECK(worth(std::nan(""), 4) == worth(1, 4, true));
}

TEST_CASE("a search runs what it chooses, with the same end on any number of processes") {
  const SweepSpec spec = load_sweep(sweep_in("search-jobs", kSearched));
  REQUIRE(spec.points() == 96);
  REQUIRE(spec.searched());
  const auto one = searched(spec, "search-one", 1), two = searched(spec, "search-two", 2);
  REQUIRE(one.size() == 40);
  REQUIRE(two.size() == 40);
  std::size_t failed = 0;
  for (std::size_t i = 0; i < one.size(); ++i) {
    CHECK(one[i].point.index == two[i].point.index);
    CHECK(one[i].result.id == two[i].result.id);
    if (one[i].result.failed) ++failed;
  }
  CHECK(failed < 20);  // a third of the space fails: of that the search takes fewer
}

TEST_CASE("a search leaves in its folder only the points that it chose") {
  const fs::path folder = test::scratch("search-again");
  SweepSpec spec = load_sweep(sweep_in("search-again-file", kSearched));
  const auto run = [&] { return run_search(spec, folder / "points.sqlite", folder, {}).known; };
  CHECK(run() == 0);
  CHECK(run() == 40);
  spec.search->budget = 12;
  CHECK(run() == 12);
  CHECK(rows_in(spec, folder).size() == 12);
}

TEST_CASE("a space within the budget is run as a whole") {
  std::string text = kSearched;
  text.replace(text.find("budget: 40"), 10, "budget: 96");
  CHECK_FALSE(load_sweep(sweep_in("search-whole", text)).searched());
}

TEST_CASE("what a search's file gets wrong is told with its line") {
  const auto with = [](const std::string& from, const std::string& to) {
    std::string text = kSearched;
    text.replace(text.find(from), from.size(), to);
    return test::error_of([&] { (void)load_sweep(sweep_in("search-refused", text)); });
  };
  const auto contains = [](const std::string& text) { return Catch::Matchers::Contains(text); };
  CHECK_THAT(with("nsga2", "nsga3"), contains("nsga2") && contains("sweep.yaml:8"));
  CHECK_THAT(with("budget: 40, ", ""), contains("budget"));
  CHECK_THAT(with("budget: 40", "budget: 10"), contains("generation"));
  CHECK_THAT(with("budget: 40", "budget: 9999999"), contains("budget"));
  CHECK_THAT(with("population: 12", "population: 13"), contains("multiple of 4"));
  CHECK_THAT(with("seed: 3", "sead: 3"), contains("seed"));
  CHECK_THAT(
      with("search: {algorithm: nsga2, budget: 40, population: 12, seed: 3}", "search: nsga2"),
      contains("search"));
  std::string axes;
  for (int i = 0; i < 30; ++i)
    axes += fmt::format("  - {{key: a{}, from: 1, to: 9, steps: 9}}\n", i);
  CHECK_THAT(with("constraints", "\n" + axes + "constraints"), contains("points"));
}

TEST_CASE("a tenth of a space finds 95 % of its front's hypervolume", "[slow]") {
  const SweepSpec spec = load_sweep(sweep_in("search-front", R"yaml(
machines: [lacuna]
workloads: [{gemm: 256x256x256, a: "C1(4:8)->C0(2:4)", b: "uniform:0.5"}]
axes:
  - {key: levels.glb.capacity, from: 64 KiB, to: 512 KiB, steps: 8, scale: log}
  - name: memory bandwidth
    linked:
      - {key: memory.read, values: [4 B/cycle, 8 B/cycle, 12 B/cycle, 16 B/cycle, 24 B/cycle, 32 B/cycle]}
      - {key: memory.write, values: [4 B/cycle, 8 B/cycle, 12 B/cycle, 16 B/cycle, 24 B/cycle, 32 B/cycle]}
  - name: ports
    linked:
      - {key: levels.glb.ports.read, values: [20 B/cycle, 38 B/cycle, 76 B/cycle, 152 B/cycle]}
      - {key: levels.glb.ports.write, values: [20 B/cycle, 38 B/cycle, 76 B/cycle, 152 B/cycle]}
  - {key: clock, values: [500 MHz, 750 MHz, 1 GHz, 1.5 GHz]}
  - {key: units.macs.skips.A, values: [[dense], ["2:4"], ["C1(4:{4..6})->C0(2:4)"],
     ["C1(4:{4..8})->C0(2:{2..4})"]]}
objectives: [time, energy, area]
)yaml"));
  REQUIRE(spec.points() == 3072);
  const fs::path folder = test::scratch("search-front-out");
  SweepOptions options;
  options.jobs = 2;
  REQUIRE(run_sweep(spec, folder / "points.sqlite", folder, options).failed == 0);
  const SweepJudge judge(spec);
  Costs costs;
  for (const SweepRow& row : rows_in(spec, folder)) costs.push_back(judge.costs(row.result));
  Numbers all(costs.size());
  std::iota(all.begin(), all.end(), 0);
  const auto whole = front_of(all, costs);
  // Up to the worst of the front itself: up to the worst point any choice covers nearly everything.
  std::vector<double> best = whole[0].costs, reference = whole[0].costs;
  for (const auto& member : whole) {
    for (std::size_t o = 0; o < best.size(); ++o) {
      best[o] = std::min(best[o], member.costs[o]);
      reference[o] = std::max(reference[o], member.costs[o]);
    }
  }
  const double most = hypervolume_share(whole, best, reference);
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const Numbers points = asked(nsga2(307, 40, seed), digits_of(spec), 3,
                                 [&](std::uint64_t number) { return costs[number]; });
    INFO("seed " << seed);
    CHECK(hypervolume_share(front_of(points, costs), best, reference) >= 0.95 * most);
  }
}
