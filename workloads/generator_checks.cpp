// SPDX-License-Identifier: Apache-2.0
#include "workloads/generator_checks.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/quantity_text.hpp"
#include "workloads/generators.hpp"

namespace lacuna::detail {

void bad_parameter(const char* generator, const char* parameter, const std::string& problem,
                   const std::string& suggestion) {
  throw InputError(Place{{}, 0, fmt::format("{}: {}", generator, parameter)}, problem, suggestion);
}

Coordinate checked_extent(const char* generator, const char* parameter, std::uint64_t value) {
  if (value == 0 || value > kLargestGenerated) {
    bad_parameter(generator, parameter,
                  fmt::format("{} is not between 1 and {}", value, grouped(kLargestGenerated)));
  }
  return static_cast<Coordinate>(value);
}

double checked_share(const char* generator, const char* parameter, double value) {
  if (!(value >= 0.0 && value <= 1.0)) {
    bad_parameter(generator, parameter, fmt::format("{} is not between 0 and 1", value));
  }
  return value;
}

std::uint64_t checked_product(const char* generator, const char* what, std::uint64_t a,
                              std::uint64_t b) {
  if (b != 0 && a > kLargestGenerated / b) {
    bad_parameter(generator, what,
                  fmt::format("{} x {} exceeds {}", a, b, grouped(kLargestGenerated)));
  }
  return a * b;
}

CsrMatrix from_keys(Coordinate rows, Coordinate cols, const std::vector<std::uint64_t>& keys) {
  CsrMatrix matrix;
  matrix.rows = rows;
  matrix.cols = cols;
  matrix.offsets.assign(std::size_t{rows} + 1, 0);
  matrix.columns.reserve(keys.size());
  for (const std::uint64_t key : keys) {
    ++matrix.offsets[key / cols + 1];
    matrix.columns.push_back(static_cast<Coordinate>(key % cols));
  }
  for (std::size_t r = 0; r < rows; ++r) matrix.offsets[r + 1] += matrix.offsets[r];
  return matrix;
}

}  // namespace lacuna::detail
