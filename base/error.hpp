// SPDX-License-Identifier: Apache-2.0
// Two kinds of failure. InputError: something the user gave is wrong; the program prints one
// message and exits with 2. ModelError: an invariant of the model is broken; that is our defect,
// checked in release builds too, exit code 3. Infeasible mappings are results, not errors.
#pragma once

#include <fmt/format.h>

#include <concepts>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace lacuna {

/// Where in the user's input the fault lies: a file with a line (0: none), or a field, or both.
struct Place {
  std::string file;
  std::uint64_t line = 0;
  std::string field;

  [[nodiscard]] std::string text() const;
};

/// A fault in what the user gave: where, what was wrong, and what to do about it (may be empty).
class InputError : public std::runtime_error {
 public:
  InputError(Place place, const std::string& problem, const std::string& suggestion = {});
  /// Without a place. A template, so that a braced Place never competes with std::string.
  template <std::convertible_to<std::string> Text>
  explicit InputError(const Text& problem, const std::string& suggestion = {})
      : InputError(Place{}, std::string(problem), suggestion) {}
  [[nodiscard]] const Place& place() const { return place_; }

 private:
  Place place_;
};

/// A broken invariant of the model.
class ModelError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// The name in `known` that is nearest to `word`, or nothing when none is near.
[[nodiscard]] std::string nearest(std::string_view word, const std::vector<std::string>& known);

/// "did you mean 'x'?" or, when nothing is near, "expected one of: a, b, c".
[[nodiscard]] std::string suggest(std::string_view word, const std::vector<std::string>& known);

namespace detail {
[[noreturn]] void check_failed(const char* condition, const char* file, int line,
                               const std::string& message);
}

}  // namespace lacuna

/// Always-on check of a model invariant; the rest of the arguments are a fmt format and its values.
#define LACUNA_CHECK(condition, ...)                                                            \
  do {                                                                                          \
    if (!(condition)) [[unlikely]] {                                                            \
      ::lacuna::detail::check_failed(#condition, __FILE__, __LINE__, fmt::format(__VA_ARGS__)); \
    }                                                                                           \
  } while (false)
