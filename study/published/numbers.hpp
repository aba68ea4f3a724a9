// SPDX-License-Identifier: Apache-2.0
// The published numbers that ship with the project, each with its source and standing, and the runs
// they are compared with. Data only: validation/published/*.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace lacuna::validation {

/// What a published number asks of the simulated one.
enum class Demand {
  exact,   // a count: must be equal
  bound,   // a time: stands beside the throughput bound and the simulated time
  beside,  // no target
};

struct PublishedNumber {
  std::string quantity;  // "dram_A_bytes", with its unit
  double value = 0;
  std::string standing;  // published, computed, inferred, recalled
  Demand demand = Demand::beside;
  std::string note;  // why it may differ; may be empty
};

/// One published series of one matrix, and the run that corresponds to it.
struct PublishedRun {
  std::string matrix;
  std::string series;
  std::string machine;                // a shipped machine
  std::vector<std::string> settings;  // overrides, "formats.A.padded=true"
  std::string source;
  std::vector<PublishedNumber> numbers;
};

struct PublishedRuns {
  std::string title;
  std::vector<PublishedRun> runs;
};

/// Ratios of the Tailors figure for one matrix (speed and energy efficiency of one machine over
/// another).
struct TailorsBars {
  std::string matrix;
  double speed_p_over_n = 0, speed_ob_over_n = 0, speed_ob_over_p = 0;
  double energy_p_over_n = 0, energy_ob_over_n = 0, energy_ob_over_p = 0;
};

/// A shipped data file: LACUNA_PUBLISHED, the source tree, the installed share folder, the first
/// that has it. Throws InputError when none has.
[[nodiscard]] std::filesystem::path published_file(const std::string& name);

/// Throw InputError with file and line.
[[nodiscard]] PublishedRuns load_runs(const std::filesystem::path& file);
[[nodiscard]] std::vector<TailorsBars> load_tailors(const std::filesystem::path& file);

}  // namespace lacuna::validation
