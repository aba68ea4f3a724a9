// SPDX-License-Identifier: Apache-2.0
// Is every machine of the gallery short, said in a sentence, and what docs/gallery.md says it
// costs?
#include <sstream>

#include "base/file.hpp"
#include "base/quantity_text.hpp"
#include "run/plan.hpp"
#include "tests/catch.hpp"

using namespace lacuna;

namespace {

constexpr std::size_t kMostLines = 16;

std::vector<std::string> lines_of_file(const std::filesystem::path& file) {
  std::istringstream in(read_file(file));
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

RunResult measured(const std::string& machine) {
  RunArguments arguments;
  arguments.machines = {"gallery/" + machine};
  arguments.workload.gemm = "512x512x512";
  arguments.workload.a_pattern = "2:4";
  arguments.workload.b_pattern = "uniform:0.25";
  return run_plan(make_plan(arguments), {}).front();
}

std::string row_of(const std::vector<std::string>& page, const std::string& machine) {
  for (const std::string& line : page) {
    if (line.starts_with("| `" + machine + "`")) return line;
  }
  return {};
}

}  // namespace

TEST_CASE("the gallery's machines are short, and their table is what they cost") {
  const auto page = lines_of_file(test::source_dir() / "docs" / "gallery.md");
  std::size_t machines = 0;
  const auto folder = test::source_dir() / "configs" / "arch" / "gallery";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().stem().string();
    INFO(name);
    const auto lines = lines_of_file(entry.path());
    REQUIRE(lines.size() > 3);
    CHECK(lines.size() <= kMostLines);
    CHECK(lines[0].starts_with("# "));
    CHECK(lines[1].starts_with("extends: ../"));
    CHECK(lines[2] == "name: " + name);
    const RunResult result = measured(name);
    REQUIRE(result.unsupported.empty());
    std::uint64_t bytes = 0;
    for (const auto& [tensor, moved] : result.statistics.traffic.at("dram")) {
      bytes += moved.read_bytes + moved.write_bytes;
    }
    const std::string row = row_of(page, name);
    CHECK_THAT(row, test::contains(lines[0].substr(2)));
    CHECK_THAT(row, test::contains("| " + grouped(result.statistics.cycles.count()) + " ("));
    CHECK_THAT(row, test::contains("| " + grouped(bytes) + " ("));
    ++machines;
  }
  CHECK(machines == 20);
}
