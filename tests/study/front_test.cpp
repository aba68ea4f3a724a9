// SPDX-License-Identifier: Apache-2.0
// Is there a price on each choice? Of the shipped sweep over what lacuna is made of, every axis has
// points of the front inside it and gives one thing up for another.
#include <algorithm>
#include <map>
#include <set>

#include "run/plan.hpp"
#include "study/sweep/run_sweep.hpp"
#include "study/sweep/summary.hpp"
#include "tests/catch.hpp"

using namespace lacuna;

namespace {

struct FrontSweep {
  SweepSpec spec;
  std::map<std::vector<std::size_t>, std::vector<double>> costs;  // by steps
  std::vector<std::vector<std::size_t>> front;
};

FrontSweep shipped_front() {
  FrontSweep out{
      load_sweep(test::source_dir() / "configs" / "sweeps" / "lacuna-front.yaml"), {}, {}};
  const auto folder = test::scratch("lacuna-front");
  SweepOptions options;
  options.jobs = 2;
  REQUIRE(run_sweep(out.spec, folder / "points.sqlite", folder, options).failed == 0);
  SweepStore store(folder / "points.sqlite", out.spec);
  const SweepJudge judge(out.spec);
  store.each([&](const SweepRow& row) { out.costs[row.point.steps] = judge.costs(row.result); });
  for (const auto& member : summarize(out.spec, store).front) {
    out.front.push_back(point_of(out.spec, member.point).steps);
  }
  return out;
}

/// Along the axis, all else equal: a step that is better in one objective and worse in another.
bool trades(const FrontSweep& sweep, std::size_t axis) {
  return std::any_of(sweep.costs.begin(), sweep.costs.end(), [&](const auto& entry) {
    auto next = entry.first;
    ++next[axis];
    const auto other = sweep.costs.find(next);
    if (other == sweep.costs.end()) return false;
    bool better = false, worse = false;
    for (std::size_t i = 0; i < entry.second.size(); ++i) {
      better = better || other->second[i] < entry.second[i];
      worse = worse || other->second[i] > entry.second[i];
    }
    return better && worse;
  });
}

}  // namespace

TEST_CASE(
    "the front of lacuna has points inside capacity, bandwidth and ports, and on every menu") {
  const FrontSweep sweep = shipped_front();
  REQUIRE(sweep.spec.axes.size() == 4);
  for (std::size_t axis = 0; axis < 4; ++axis) {
    INFO(sweep.spec.axes[axis].name);
    const std::size_t steps = sweep.spec.axes[axis].steps.size();
    std::set<std::size_t> seen;
    for (const auto& point : sweep.front) seen.insert(point[axis]);
    seen.erase(0);
    seen.erase(steps - 1);
    CHECK_FALSE(seen.empty());
    CHECK(trades(sweep, axis));
  }
}
