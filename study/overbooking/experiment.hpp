// SPDX-License-Identifier: Apache-2.0
// Runs the recipe of study/overbooking/points.hpp: every matrix of a folder at every capacity, by
// every contender, each matrix in a process of its own.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "study/overbooking/points.hpp"

namespace lacuna {

struct OverbookingExperiment {
  std::string matrices;               // folder; empty: LACUNA_MATRICES
  std::vector<std::string> settings;  // for every machine
  std::vector<std::string> only;      // workloads by name; empty: all
  unsigned jobs = 1;                  // workloads at once
  double limit_s = 60;                // processor seconds that one point may take
};

/// Why a workload has no points: of a job that ended badly, or of a matrix that is not square.
struct LeftOut {
  std::string source;
  std::string why;
  int code = 0;  // of the process: 0 is no fault
};

struct OverbookingStudy {
  std::vector<validation::OverbookingPoint> points;  // by matrix and capacity
  std::vector<LeftOut> left_out;

  /// 0, or of the workloads left out 2: an input is at fault, 3: the model.
  [[nodiscard]] int worst_code() const;
  /// A line for each workload left out; empty without one.
  [[nodiscard]] std::string left_out_text() const;
};

/// `done` is told the name of each workload that ended well, and how many points it has. Throws
/// InputError for names and folders that are not there and when nothing could be run, Interrupted.
[[nodiscard]] OverbookingStudy run_overbooking(
    const OverbookingExperiment& experiment, const std::filesystem::path& scratch,
    const std::function<void(const std::string&, std::size_t)>& done);

}  // namespace lacuna
