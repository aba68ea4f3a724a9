// SPDX-License-Identifier: Apache-2.0
// The one place that knows which Catch2 is installed: 2 (Debian 12) or 3 (Ubuntu 24.04).
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif

#include <cctype>
#include <filesystem>
#include <string>

namespace lacuna::test {

using Approx = Catch::
#if __has_include(<catch2/catch_all.hpp>)
    Approx;
#else
    Detail::Approx;
#endif

/// The checkout, and where it is built.
std::filesystem::path source_dir();
std::filesystem::path binary_dir();

/// Real data for local checks: the folder that the variable LACUNA_SHARED_DATA names (scripts/test
/// sets it when there is one beside the checkout). Tests that use it call LACUNA_NEEDS_SHARED
/// first.
std::filesystem::path shared_data();

/// An empty folder below the build tree, this test case's own: CTest runs cases side by side, each
/// as a process, and two cases may choose the same name.
inline std::filesystem::path scratch(const std::string& name) {
  std::string test = Catch::getResultCapture().getCurrentTestName();
  for (char& c : test) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '-';
  }
  const auto program = std::filesystem::read_symlink("/proc/self/exe").filename();
  auto path = binary_dir() / "scratch" / program / test / name;
  std::filesystem::remove_all(path);
  std::filesystem::create_directories(path);
  return path;
}

/// Matches a text with `part` in it; the name differs between the versions of Catch2.
inline auto contains(const std::string& part) {
#if __has_include(<catch2/catch_all.hpp>)
  return Catch::Matchers::ContainsSubstring(part);
#else
  return Catch::Matchers::Contains(part);
#endif
}

/// The message of the InputError (or other std::exception) that `action` throws; empty when none.
template <class Action>
std::string error_of(Action&& action) {
  try {
    action();
  } catch (const std::exception& error) {
    return error.what();
  }
  return {};
}

}  // namespace lacuna::test

/// CTest knows a skipped case by this text (tests/CMakeLists.txt) and counts it as skipped.
#define LACUNA_NEEDS_SHARED()                                                  \
  if (!std::filesystem::is_directory(::lacuna::test::shared_data())) {         \
    WARN("LACUNA_SKIPPED: LACUNA_SHARED_DATA does not name a folder of data"); \
    return;                                                                    \
  }
