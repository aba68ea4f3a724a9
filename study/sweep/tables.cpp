// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "study/sweep/csv_table.hpp"
#include "study/sweep/summary.hpp"

namespace lacuna {
namespace {

/// Points that are drawn beside the front, evenly chosen.
constexpr std::uint64_t kDrawnPoints = 2000;

std::string number(double value) {
  return std::isfinite(value) ? fmt::format("{}", value) : std::string();
}

std::vector<std::string> header_of(const SweepSpec& spec) {
  std::vector<std::string> header{"number", "machine", "workload", "seed"};
  for (const SweepAxis& axis : spec.axes) header.push_back(csv_line(axis.name));
  if (spec.normalize) header.push_back(csv_line(spec.normalize->axis.name));
  header.insert(header.end(), {"status", "holds", "front"});
  for (const Measure& measure : measures()) header.emplace_back(measure.name);
  for (std::size_t i = 0; i < spec.objectives.size(); ++i) {
    header.push_back(fmt::format("objective_{}", i + 1));
  }
  header.insert(header.end(), {"bound", "message", "wall_s"});
  return header;
}

/// 0 to 1 of a value between two, by logarithm where both are above zero.
double normal(double value, double least, double most) {
  if (!(most > least)) return 0.5;
  if (least > 0) return std::log(value / least) / std::log(most / least);
  return (value - least) / (most - least);
}

void write_front(const SweepSpec& spec, const SweepSummary& summary,
                 const std::filesystem::path& file) {
  CsvTable table(file);
  std::vector<std::string> header{"number"};
  for (std::size_t i = 0; i < spec.objectives.size(); ++i) {
    header.push_back(fmt::format("objective_{}", i + 1));
  }
  table.row(header);
  auto sorted = summary.front;
  std::sort(sorted.begin(), sorted.end(),
            [](const auto& a, const auto& b) { return a.costs < b.costs; });
  for (const ParetoFront::Member& member : sorted) {
    std::vector<std::string> row{std::to_string(member.point)};
    for (std::size_t i = 0; i < member.costs.size(); ++i) {
      row.push_back(number(spec.objectives[i].most ? -member.costs[i] : member.costs[i]));
    }
    table.row(row);
  }
}

void write_sensitivity(const SweepSpec& spec, const SweepSummary& summary,
                       const std::filesystem::path& file) {
  CsvTable table(file);
  table.row({"objective", "axis", "least", "most", "step_of_least", "step_of_most"});
  for (std::size_t o = 0; o < spec.objectives.size(); ++o) {
    for (const AxisEffect& effect : summary.effects) {
      if (effect.steps.size() < 2) continue;
      const auto [least, most] = effect.range(o);
      if (std::isnan(least)) continue;
      std::size_t low = 0, high = 0;
      const auto& steps = effect.of_step[o];
      for (std::size_t i = 0; i < steps.size(); ++i) {
        if (steps[i].value() < steps[low].value() || steps[low].count == 0) low = i;
        if (steps[i].value() > steps[high].value() || steps[high].count == 0) high = i;
      }
      table.row({std::to_string(o + 1), csv_line(effect.axis), number(least), number(most),
                 csv_line(effect.steps[low]), csv_line(effect.steps[high])});
    }
  }
}

void write_heat(const SweepSummary& summary, const std::filesystem::path& file) {
  CsvTable table(file);
  table.row({"column", "row", "mean"});
  for (const SweepSummary::Heat& heat : summary.heat) {
    for (std::size_t r = 0; r < heat.cells.size(); ++r) {
      for (std::size_t c = 0; c < heat.cells[r].size(); ++c) {
        table.row({std::to_string(c), std::to_string(r), number(heat.cells[r][c].value())});
      }
    }
  }
}

/// Polylines over the axes and the objectives, each from 0 to 1; blank lines between them.
void write_parallel(const SweepSpec& spec, SweepStore& store, const SweepSummary& summary,
                    const std::set<std::uint64_t>& front, const std::filesystem::path& file) {
  const SweepJudge judge(spec);
  CsvTable table(file);
  table.row({"place", "value", "front"});
  const std::uint64_t every = std::max<std::uint64_t>(1, summary.finished / kDrawnPoints);
  store.each([&](const SweepRow& row) {
    const bool in_front = front.count(row.point.index) > 0;
    if (!judge.holds(row.result) || (!in_front && row.point.index % every != 0)) return;
    const auto values = judge.objectives(row.result);
    std::size_t place = 0;
    const auto put = [&](double value) {
      table.row({std::to_string(place++), number(value), in_front ? "1" : "0"});
    };
    for (std::size_t i = 0; i < spec.axes.size(); ++i) {
      put(normal(static_cast<double>(row.point.steps[i]), 0,
                 static_cast<double>(spec.axes[i].steps.size() - 1)));
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
      put(normal(values[i], summary.ranges[i].first, summary.ranges[i].second));
    }
    table.put("\n");
  });
}

std::set<std::uint64_t> numbers_of(const SweepSummary& summary) {
  std::set<std::uint64_t> out;
  for (const ParetoFront::Member& member : summary.front) out.insert(member.point);
  return out;
}

}  // namespace

void write_points(const SweepSpec& spec, SweepStore& store, const SweepSummary& summary,
                  const std::filesystem::path& file) {
  const SweepJudge judge(spec);
  const std::set<std::uint64_t> front = numbers_of(summary);
  CsvTable table(file);
  table.row(header_of(spec));
  store.each([&](const SweepRow& row) {
    const SweepResult& result = row.result;
    std::vector<std::string> fields{std::to_string(row.point.index), csv_line(row.point.machine),
                                    csv_line(result.workload), std::to_string(row.point.seed)};
    for (std::size_t i = 0; i < spec.axes.size(); ++i) {
      fields.push_back(csv_line(spec.axes[i].labels[row.point.steps[i]]));
    }
    if (spec.normalize) {
      const auto& labels = spec.normalize->axis.labels;
      fields.push_back(row.point.normal ? csv_line(labels[*row.point.normal]) : std::string());
    }
    fields.insert(fields.end(), {result.failed ? "failed" : "ok", judge.holds(result) ? "1" : "0",
                                 front.count(row.point.index) > 0 ? "1" : "0"});
    for (const double value : result.values) fields.push_back(number(value));
    if (result.failed) {
      fields.insert(fields.end(), spec.objectives.size(), "");
    } else {
      for (const double value : judge.objectives(result)) fields.push_back(number(value));
    }
    fields.insert(fields.end(), {result.bound, csv_line(result.message), number(result.wall_s)});
    table.row(fields);
  });
}

void write_plot_data(const SweepSpec& spec, SweepStore& store, const SweepSummary& summary,
                     const std::filesystem::path& folder) {
  write_front(spec, summary, folder / "front.csv");
  write_sensitivity(spec, summary, folder / "sensitivity.csv");
  write_heat(summary, folder / "heat.csv");
  write_parallel(spec, store, summary, numbers_of(summary), folder / "parallel.csv");
}

}  // namespace lacuna
