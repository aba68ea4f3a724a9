// SPDX-License-Identifier: Apache-2.0
// Machines at equal area or equal power: which step of the normalised axis a point takes. By
// bisection, so the measure must rise along the axis; where it does not, the step is one that holds
// before one that does not.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>

#include "study/sweep/spec.hpp"

namespace lacuna {

class SweepNormalizer {
 public:
  /// In W, of a run.
  using PowerOf = std::function<double(const RunPlan&)>;

  SweepNormalizer(const SweepSpec& spec, PowerOf power_of);

  /// The last step within the target. Throws InputError when none is, and when all are: then the
  /// axis does not reach the target.
  [[nodiscard]] std::size_t step_of(const SweepPoint& point);

 private:
  [[nodiscard]] double measure(const RunPlan& plan) const;
  [[nodiscard]] double target_of(const SweepPoint& point);
  [[nodiscard]] std::size_t search(SweepPoint point, double target) const;

  const SweepSpec& spec_;
  PowerOf power_of_;
  std::map<std::string, double> targets_;     // of area, by machine
  std::map<std::string, std::size_t> steps_;  // of area, by what the machine is made of
};

}  // namespace lacuna
