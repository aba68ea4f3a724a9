// SPDX-License-Identifier: Apache-2.0
// Between whole numbers and floating point, where a cast alone would be undefined for what is
// negative, not a number or beyond 64 bits.
#pragma once

#include <cmath>
#include <cstdint>

#include "base/error.hpp"

namespace lacuna {

/// A count as a number to calculate with: exact below 2^53.
[[nodiscard]] constexpr double real(std::uint64_t count) {
  return static_cast<double>(count);
}

/// Without what is behind the point. Throws InputError for what 64 bits do not hold: a number gets
/// there by the size of a workload or by a parameter.
[[nodiscard]] inline std::uint64_t whole_down(double value) {
  constexpr double kBeyond = 18446744073709551616.0;  // 2^64
  if (!(value > -1 && value < kBeyond)) [[unlikely]] {
    throw InputError(fmt::format("a count of {:g} is beyond what 64 bits hold", value),
                     "make the workload smaller, or look for a parameter at an extreme");
  }
  return static_cast<std::uint64_t>(value);
}

/// The nearest one, halves away from zero.
[[nodiscard]] inline std::uint64_t whole_near(double value) {
  return whole_down(std::round(value));
}

/// The smallest that is not below.
[[nodiscard]] inline std::uint64_t whole_up(double value) {
  return whole_down(std::ceil(value));
}

}  // namespace lacuna
