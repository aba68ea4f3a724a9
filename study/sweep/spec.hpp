// SPDX-License-Identifier: Apache-2.0
// A sweep as its file says it: machines, workloads, axes over keys of either, what a point must
// hold to count, and what is wanted of it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/config.hpp"
#include "run/plan.hpp"

namespace lacuna {

/// A key with its value at one step of an axis; "workload.a" is of the workload, anything else of
/// the machine, as in --set.
struct SweepSetting {
  std::string key;
  ConfigTree value;
};

/// Keys that move together: one step after another.
struct SweepAxis {
  std::string name;
  std::vector<std::vector<SweepSetting>> steps;
  std::vector<std::string> labels;  // of each step, for tables
  bool of_workload = false;         // every key is of the workload
  std::vector<double> losses;       // of each step, as the user's table says; empty: not told
};

/// An axis that is not enumerated: each point takes the last step that keeps a measure within its
/// target, so that machines are compared at equal area or equal power.
struct SweepNormalize {
  enum class By { area, power };
  By by = By::area;
  double target = 0;    // mm2 or W; 0: what `machine` has
  std::string machine;  // as its file says it, on the point's workload
  SweepAxis axis;       // its steps in rising order of the measure
};

struct SweepObjective {
  std::string expression;
  bool most = false;  // the more the better
};

/// How points are chosen where there are too many to run all of them (search.hpp).
struct SweepSearch {
  enum class Algorithm { nsga2 };
  Algorithm algorithm = Algorithm::nsga2;
  std::uint64_t budget = 0;       // points that are run, each counted once
  std::uint64_t population = 40;  // of a generation
  std::uint64_t seed = 1;
};

struct SweepSpec {
  std::string name, description;
  std::vector<std::string> machines;
  std::vector<ConfigTree> workloads;  // mappings, as in a workload's file
  std::vector<SweepAxis> axes;        // those of workloads first: they change slowest
  std::optional<SweepNormalize> normalize;
  std::vector<std::string> constraints;
  std::vector<SweepObjective> objectives;
  std::optional<SweepSearch> search;
  std::uint64_t repeat = 1;  // seeds of drawn operands
  Fidelity fidelity = Fidelity::tile;
  std::filesystem::path folder;  // that relative files of workloads are beside

  /// Points: a machine, a workload, a step of each axis, a seed. More than kMostSearchedPoints are
  /// one more than these.
  [[nodiscard]] std::uint64_t points() const;
  /// Whether a search chooses the points; a space within its budget is run as a whole.
  [[nodiscard]] bool searched() const;
};

/// Most points of a sweep; its table is read and drawn as a whole.
inline constexpr std::uint64_t kMostSweepPoints = 10'000'000;
/// Most points that a search chooses from: their numbers are integers of the store.
inline constexpr std::uint64_t kMostSearchedPoints = 1'000'000'000'000'000'000;
/// Most points that a search runs; their objectives are held at once.
inline constexpr std::uint64_t kMostSearchBudget = 1'000'000;

/// Throws InputError with file, line and field.
[[nodiscard]] SweepSpec load_sweep(const std::filesystem::path& file);

/// One point of a sweep, by its number: the workload changes slowest, the last axis fastest.
struct SweepPoint {
  std::uint64_t index = 0;
  std::string machine;
  std::size_t workload = 0;
  std::uint64_t seed = 1;
  std::vector<std::size_t> steps;     // of each axis
  std::optional<std::size_t> normal;  // step of the normalised axis, once it is chosen
};
[[nodiscard]] SweepPoint point_of(const SweepSpec& spec, std::uint64_t index);
/// How many values each digit of a point's number has, the slowest first: workload, axes of
/// workloads, seed, machine, other axes.
[[nodiscard]] std::vector<std::uint64_t> digits_of(const SweepSpec& spec);

/// What the point runs. Throws InputError for a machine or workload that its values do not make.
[[nodiscard]] RunPlan plan_of(const SweepSpec& spec, const SweepPoint& point);
/// The point's workload on a machine as its file says it.
[[nodiscard]] RunPlan plan_on(const SweepSpec& spec, const SweepPoint& point,
                              const std::string& machine);

/// What the table beside an axis says of its step; not a number where no axis has one.
[[nodiscard]] double loss_of(const SweepSpec& spec, const SweepPoint& point);

/// What tells a sweep's points from another's, and one point from all others, before it is known
/// what they run.
[[nodiscard]] std::string identity_of(const SweepSpec& spec);
[[nodiscard]] std::string identity_of(const SweepSpec& spec, const SweepPoint& point);

}  // namespace lacuna
