// SPDX-License-Identifier: Apache-2.0
// The energy of a run: counts of actions times the table, nothing else.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "arch/energy/component.hpp"
#include "base/units.hpp"

namespace lacuna {

class EnergyAccount {
 public:
  explicit EnergyAccount(ComponentSet set);

  /// Adds `count` actions; a share of an access (a word of a line) is a legal count. Throws
  /// ModelError, with what there is, when the component or the action is unknown or the count is
  /// negative or not finite: machines call require_actions() before they run.
  void add(std::string_view component, std::string_view action, double count);

  struct Line {
    std::string component;
    std::string action;
    double count;
    Picojoules per_action;
    Picojoules energy;  // count x per_action
  };
  /// Every action that was counted, by component in the set's order, then by action.
  [[nodiscard]] std::vector<Line> lines() const;
  /// The sum of lines(), in that order: equal to it bit for bit.
  [[nodiscard]] Picojoules total() const;
  /// Per component, uncounted ones as 0. Sums to total() up to rounding.
  [[nodiscard]] std::map<std::string, Picojoules> by_component() const;
  /// Checks the invariant energy = sum of counts x table, recomputed from the set; ModelError.
  void check() const;
  [[nodiscard]] const ComponentSet& set() const { return set_; }

 private:
  ComponentSet set_;
  std::map<std::string, std::map<std::string, double, std::less<>>, std::less<>> counts_;
};

}  // namespace lacuna
