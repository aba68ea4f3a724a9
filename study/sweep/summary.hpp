// SPDX-License-Identifier: Apache-2.0
// What a sweep found: how many points hold, which of them none beats, and what each axis does to
// what is wanted. Reads the store row by row: its size is that of the front and the axes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "study/sweep/expression.hpp"
#include "study/sweep/pareto.hpp"
#include "study/sweep/store.hpp"

namespace lacuna {

/// Mean of the logarithms of an objective: factors average.
struct LogMean {
  double sum = 0;
  std::uint64_t count = 0;
  void add(double value);
  /// Not a number without points.
  [[nodiscard]] double value() const;
};

/// One axis, or the machines, or the workloads.
struct AxisEffect {
  std::string axis;
  std::vector<std::string> steps;
  std::vector<std::vector<LogMean>> of_step;  // [objective][step], over the points that hold

  /// Of the steps that have points, the least and the largest mean over the mean of all.
  [[nodiscard]] std::pair<double, double> range(std::size_t objective) const;
};

struct SweepSummary {
  std::uint64_t points = 0, finished = 0, failed = 0, broken = 0;  // broken: a constraint
  std::map<std::string, std::uint64_t> messages;  // of points that failed, the first few
  std::vector<ParetoFront::Member> front;         // costs: the less the better
  std::vector<AxisEffect> effects;
  std::vector<std::pair<double, double>> ranges;  // of each objective, over the points that hold
  /// Of the first objective over the two axes that change most of it: [row][column], where there
  /// are two.
  struct Heat {
    std::size_t rows = 0, columns = 0;  // which effects
    std::vector<std::vector<LogMean>> cells;
  };
  std::vector<Heat> heat;  // none or one
};

[[nodiscard]] SweepSummary summarize(const SweepSpec& spec, SweepStore& store);

/// Whether a finished point holds every constraint, and its objectives.
class SweepJudge {
 public:
  explicit SweepJudge(const SweepSpec& spec);
  [[nodiscard]] bool holds(const SweepResult& result) const;
  /// How many constraints a finished point breaks.
  [[nodiscard]] std::size_t broken(const SweepResult& result) const;
  /// How many objectives there are.
  [[nodiscard]] std::size_t wanted() const { return objectives_.size(); }
  [[nodiscard]] std::vector<double> objectives(const SweepResult& result) const;
  /// The same, the less the better.
  [[nodiscard]] std::vector<double> costs(const SweepResult& result) const;

 private:
  std::vector<Expression> constraints_, objectives_;
  std::vector<bool> most_;
};

/// points.csv: a row for each finished point: number, machine, workload, seed, a column for each
/// axis, ok or failed, whether it holds and is in the front, measures, objectives, message,
/// seconds.
void write_points(const SweepSpec& spec, SweepStore& store, const SweepSummary& summary,
                  const std::filesystem::path& file);
/// front.csv, sensitivity.csv, heat.csv, parallel.csv: what the plots read.
void write_plot_data(const SweepSpec& spec, SweepStore& store, const SweepSummary& summary,
                     const std::filesystem::path& folder);

}  // namespace lacuna
