// SPDX-License-Identifier: Apache-2.0
// What is different between two runs, and what was set differently.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace lacuna::report {

/// A value of one run or of both.
struct Difference {
  std::string path;  // "traffic.dram.A.read_bytes", "units.macs.lanes"
  std::string a, b;  // as written; empty: it has none
  /// b over a, of numbers that are not zero.
  std::optional<double> ratio;
};

struct RunDifferences {
  std::string a, b;                       // machine and workload of each
  std::vector<Difference> configuration;  // where both runs have it beside them
  bool compared_configuration = false;
  std::vector<Difference> values;  // what people look at first, then the largest factors
};

/// Each a result.json or the folder of a result. Runs are compared in their order. Throws
/// InputError for what is no result, and for different numbers of runs.
[[nodiscard]] std::vector<RunDifferences> compare_results(const std::filesystem::path& a,
                                                          const std::filesystem::path& b);

/// At most `most` values of each run; 0: all.
[[nodiscard]] std::string differences_text(const std::vector<RunDifferences>& runs,
                                           std::size_t most);
[[nodiscard]] std::string differences_json(const std::vector<RunDifferences>& runs);

}  // namespace lacuna::report
