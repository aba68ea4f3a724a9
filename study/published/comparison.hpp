// SPDX-License-Identifier: Apache-2.0
// Published numbers joined with simulated ones, and the table that shows them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "study/published/numbers.hpp"

namespace lacuna::validation {

/// What a run gave, by quantity; a published time also looks for "cycles_bound_ns" and
/// "simulated_ns".
struct Simulated {
  std::map<std::string, double> values;
  /// In words, by quantity: why the simulated time is longer than its bound, what an energy is made
  /// of.
  std::map<std::string, std::string> remarks;
};

struct Comparison {
  std::string quantity;
  double published = 0;
  std::optional<double> simulated;  // nothing: the run has no such quantity
  bool failed = false;              // had to be equal and is not
  std::string remark;

  /// (simulated - published) / published, in per cent.
  [[nodiscard]] std::optional<double> error_percent() const;
};

/// One line per number; a published time gives two, the bound and the simulated time.
[[nodiscard]] std::vector<Comparison> compare(const PublishedRun& published,
                                              const Simulated& simulated);

/// Lines "quantity | published | simulated | error % | remark" for one run, under its heading.
[[nodiscard]] std::string comparison_table(const PublishedRun& published,
                                           const std::vector<Comparison>& comparisons);

}  // namespace lacuna::validation
