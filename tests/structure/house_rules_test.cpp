// SPDX-License-Identifier: Apache-2.0
// Does the tree keep the rules of the house? See CONTRIBUTING.md for what they are and why.
#include <fmt/format.h>

#include <functional>
#include <string>
#include <vector>

#include "base/config.hpp"
#include "tests/catch.hpp"
#include "tests/structure/source_rules.hpp"
#include "tests/structure/source_tree.hpp"

namespace {

using namespace lacuna::test;

using Rule = std::function<std::vector<std::string>(const std::string&, const std::string&)>;
using Filter = std::function<bool(const std::string&)>;

/// All faults of the project's files, one a line.
std::string faults_of(const Filter& applies, const Rule& rule, std::size_t at_least) {
  std::string faults;
  std::size_t files = 0;
  for (const std::string& path : project_files()) {
    if (!applies(path)) continue;
    ++files;
    for (const std::string& fault : rule(path, text_of(path))) faults += fault + "\n";
  }
  // A rule that reads no files would never fail.
  if (files < at_least) faults += fmt::format("only {} files were found\n", files);
  return faults;
}

bool any(const std::string& /*path*/) {
  return true;
}

}  // namespace

TEST_CASE("every include follows the direction of the house") {
  CHECK(faults_of(is_cpp, include_faults, 40) == "");
}

TEST_CASE("arch has no SystemC threads") {
  const auto in_arch = [](const std::string& path) {
    return path.starts_with("arch/") && is_cpp(path);
  };
  CHECK(faults_of(in_arch, thread_faults, 10) == "");
}

TEST_CASE("arch wakes its units through the simulation") {
  CHECK(faults_of(is_cpp, notify_faults, 40) == "");
}

TEST_CASE("no code outside arch/compute tells classes of units apart") {
  CHECK(faults_of(is_cpp, unit_class_faults, 40) == "");
}

TEST_CASE("enumerators are spelled as constants are") {
  CHECK(faults_of(is_cpp, enumerator_faults, 40) == "");
}

TEST_CASE("every source, build file and script names its licence") {
  CHECK(faults_of(any, licence_faults, 60) == "");
}

TEST_CASE("no file holds a path of somebody's machine") {
  CHECK(faults_of(any, machine_path_faults, 60) == "");
}

// CTest takes a case that says so for skipped, whatever it found before.
TEST_CASE("a case that needs shared data asks for it before it checks anything") {
  const auto tests = [](const std::string& path) {
    return path.starts_with("tests/") && path.ends_with("_test.cpp");
  };
  const auto late = [](const std::string& path, const std::string& text) {
    std::vector<std::string> faults;
    const std::vector<std::string> lines = lines_of(text);
    for (std::size_t i = 1; i < lines.size(); ++i) {
      if (!lines[i].starts_with("  LACUNA_NEEDS_SHARED")) continue;
      // The name may take more than one line; nothing else stands between.
      if (!lines[i - 1].ends_with(") {")) faults.push_back(fmt::format("{}:{}", path, i + 1));
    }
    return faults;
  };
  CHECK(faults_of(tests, late, 40) == "");
}

TEST_CASE("every shipped configuration parses") {
  std::size_t files = 0;
  for (const std::string& path : project_files()) {
    if (!path.starts_with("configs/")) continue;
    if (!path.ends_with(".yaml") && !path.ends_with(".json")) continue;
    ++files;
    CAPTURE(path);
    CHECK(error_of([&] { (void)lacuna::ConfigTree::load(source_dir() / path); }) == "");
  }
  CHECK(files > 0);
}
