// SPDX-License-Identifier: Apache-2.0
// What a sweep asks of a point: "area <= 4 mm2", "energy * time", over what a result gives. Units
// are written behind numbers; areas are in mm2, energies in J, times in s, powers in W, sizes in
// bytes.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "run/result.hpp"

namespace lacuna {

/// What expressions may name, in the order of a table's columns.
struct Measure {
  const char* name;
  const char* about;
};
[[nodiscard]] const std::vector<Measure>& measures();

/// Places of those that prices change, and of the time.
inline constexpr std::size_t kTimeMeasure = 1, kEnergyMeasure = 2, kPowerMeasure = 3,
                             kEdpMeasure = 4, kAreaMeasure = 5;
/// The first so many are of a run; the others come from the sweep.
inline constexpr std::size_t kMeasuresOfRun = 14;

/// Of a result, in the order of measures(); not a number where the result has none.
[[nodiscard]] std::vector<double> measure(const RunResult& result);

/// The measures of a point whose prices are other ones: what is more by so many J and mm2.
void reprice(std::vector<double>& values, double joules, double mm2);

class Expression {
 public:
  /// Throws InputError for a text that problem() finds fault with.
  explicit Expression(const std::string& text);
  ~Expression();
  Expression(Expression&& other) noexcept;
  Expression& operator=(Expression&& other) noexcept;

  /// Comparisons give 1 or 0.
  [[nodiscard]] double of(const std::vector<double>& values) const;
  /// What is wrong with it, with a suggestion; empty: nothing.
  [[nodiscard]] static std::string problem(const std::string& text);
  /// Whether one that has no problem names a measure.
  [[nodiscard]] static bool names(const std::string& text, const std::string& measure);

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

}  // namespace lacuna
