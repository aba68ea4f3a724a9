// SPDX-License-Identifier: Apache-2.0
// Collect, decide, commit: what several units want of one resource within a delta is collected
// while their processes run and decided once all of them have run, so that the order in which they
// ran decides nothing. Costs no activation: the kernel's update phase is where it happens.
#pragma once

#include <functional>

namespace lacuna::sim {

class Simulation;

class Decision {
 public:
  /// `body` may notify events (Simulation::at) and change what processes see; they see it in the
  /// next delta.
  Decision(Simulation& simulation, std::function<void()> body)
      : simulation_(simulation), body_(std::move(body)) {}
  Decision(const Decision&) = delete;
  Decision& operator=(const Decision&) = delete;

  /// Has the body run once at the end of this delta, however often it is asked for.
  void due();

 private:
  friend class Simulation;
  Simulation& simulation_;
  std::function<void()> body_;
  bool due_ = false;
};

}  // namespace lacuna::sim
