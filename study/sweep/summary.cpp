// SPDX-License-Identifier: Apache-2.0
#include "study/sweep/summary.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace lacuna {
namespace {

constexpr std::size_t kMostMessages = 100;
constexpr double kNoMean = std::numeric_limits<double>::quiet_NaN();

/// Where a point stands on each effect.
std::vector<std::size_t> places(const SweepSpec& spec, const SweepPoint& point) {
  const auto machine = std::find(spec.machines.begin(), spec.machines.end(), point.machine);
  std::vector<std::size_t> out{static_cast<std::size_t>(machine - spec.machines.begin()),
                               point.workload};
  out.insert(out.end(), point.steps.begin(), point.steps.end());
  return out;
}

std::vector<AxisEffect> empty_effects(const SweepSpec& spec) {
  std::vector<AxisEffect> out;
  out.push_back({"machine", spec.machines, {}});
  AxisEffect& workloads = out.emplace_back();
  workloads.axis = "workload";
  for (std::size_t i = 0; i < spec.workloads.size(); ++i) {
    workloads.steps.push_back(std::to_string(i + 1));
  }
  for (const SweepAxis& axis : spec.axes) out.push_back({axis.name, axis.labels, {}});
  for (AxisEffect& effect : out) {
    effect.of_step.assign(spec.objectives.size(), std::vector<LogMean>(effect.steps.size()));
  }
  return out;
}

/// How far the steps of an axis are apart in the first objective.
double spread(const AxisEffect& effect) {
  const auto [least, most] = effect.range(0);
  return least > 0 ? most / least : 0;
}

/// The two axes that change the first objective most.
void choose_heat(SweepSummary& summary) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < summary.effects.size(); ++i) {
    if (summary.effects[i].steps.size() > 1 && spread(summary.effects[i]) > 0) order.push_back(i);
  }
  if (order.size() < 2) return;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return spread(summary.effects[a]) > spread(summary.effects[b]);
  });
  SweepSummary::Heat heat;
  heat.rows = order[1];
  heat.columns = order[0];
  heat.cells.assign(summary.effects[heat.rows].steps.size(),
                    std::vector<LogMean>(summary.effects[heat.columns].steps.size()));
  summary.heat.push_back(std::move(heat));
}

}  // namespace

void LogMean::add(double value) {
  if (!(value > 0)) return;
  sum += std::log(value);
  ++count;
}

double LogMean::value() const {
  return count == 0 ? kNoMean : std::exp(sum / static_cast<double>(count));
}

std::pair<double, double> AxisEffect::range(std::size_t objective) const {
  LogMean all;
  double least = kNoMean, most = kNoMean;
  for (const LogMean& step : of_step[objective]) {
    if (step.count == 0) continue;
    all.sum += step.sum;
    all.count += step.count;
    least = std::fmin(least, step.value());
    most = std::fmax(most, step.value());
  }
  return {least / all.value(), most / all.value()};
}

SweepJudge::SweepJudge(const SweepSpec& spec) {
  for (const std::string& text : spec.constraints) constraints_.emplace_back(text);
  for (const SweepObjective& objective : spec.objectives) {
    objectives_.emplace_back(objective.expression);
    most_.push_back(objective.most);
  }
}

bool SweepJudge::holds(const SweepResult& result) const {
  return !result.failed && broken(result) == 0;
}

std::size_t SweepJudge::broken(const SweepResult& result) const {
  // What is not known does not hold.
  const auto breaks = [&](const Expression& constraint) {
    const double value = constraint.of(result.values);
    return std::isnan(value) || value == 0;
  };
  return static_cast<std::size_t>(std::count_if(constraints_.begin(), constraints_.end(), breaks));
}

std::vector<double> SweepJudge::objectives(const SweepResult& result) const {
  std::vector<double> out;
  for (const Expression& objective : objectives_) out.push_back(objective.of(result.values));
  return out;
}

std::vector<double> SweepJudge::costs(const SweepResult& result) const {
  std::vector<double> out = objectives(result);
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (most_[i]) out[i] = -out[i];
  }
  return out;
}

SweepSummary summarize(const SweepSpec& spec, SweepStore& store) {
  const SweepJudge judge(spec);
  SweepSummary out;
  out.points = spec.points();
  out.effects = empty_effects(spec);
  out.ranges.assign(spec.objectives.size(), {kNoMean, kNoMean});
  ParetoFront front;
  store.each([&](const SweepRow& row) {
    ++out.finished;
    if (row.result.failed) {
      ++out.failed;
      if (out.messages.size() < kMostMessages || out.messages.count(row.result.message) > 0) {
        ++out.messages[row.result.message];
      }
      return;
    }
    if (!judge.holds(row.result)) {
      ++out.broken;
      return;
    }
    front.add(row.point.index, judge.costs(row.result));
    const std::vector<double> values = judge.objectives(row.result);
    for (std::size_t o = 0; o < values.size(); ++o) {
      auto& [least, most] = out.ranges[o];
      least = std::fmin(least, values[o]);
      most = std::fmax(most, values[o]);
    }
    const std::vector<std::size_t> at = places(spec, row.point);
    for (std::size_t e = 0; e < at.size(); ++e) {
      for (std::size_t o = 0; o < values.size(); ++o) {
        out.effects[e].of_step[o][at[e]].add(values[o]);
      }
    }
  });
  out.front = front.members();
  choose_heat(out);
  if (out.heat.empty()) return out;
  SweepSummary::Heat& heat = out.heat.front();
  store.each([&](const SweepRow& row) {
    if (!judge.holds(row.result)) return;
    const std::vector<std::size_t> at = places(spec, row.point);
    heat.cells[at[heat.rows]][at[heat.columns]].add(judge.objectives(row.result).front());
  });
  return out;
}

}  // namespace lacuna
