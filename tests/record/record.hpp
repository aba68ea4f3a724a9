// SPDX-License-Identifier: Apache-2.0
// The frozen record: what a list of runs reported, value by value, as text that a diff can show.
//
// runs.txt names the runs by group, GROUP.txt holds what each reported. A run is a command line of
// `lacuna run`; one with several machines is one run for each. What is zero, empty or false is not
// written. What belongs to the host (wall time, memory, process activations) or follows from other
// values (seconds, use of a block, energy for each token) is left out, and so are words, which may
// be bettered.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace lacuna::test {

/// The values of one run by key, and the runs of one group by name.
using RecordedRun = std::map<std::string, std::string>;
using Record = std::map<std::string, RecordedRun>;

struct ListedRun {
  std::string name;
  std::vector<std::string> arguments;  // of `lacuna run`
};

/// Lines "[group]", "name: arguments" and "# comment". Throws std::runtime_error for any other line
/// and for a name given twice in a group.
[[nodiscard]] std::map<std::string, std::vector<ListedRun>> parse_runs(const std::string& text);

/// What `lacuna run --json` printed: a result, or a list of them; each under `run`, with the
/// machine's name where there are several.
[[nodiscard]] Record parse_results(const std::string& run, const std::string& json);

/// "run NAME", then "  key = value" for each value, sorted.
[[nodiscard]] std::string to_text(const Record& record);
[[nodiscard]] Record parse_record(const std::string& text);

/// "run NAME: key: recorded X, now Y", one line for each difference; missing and extra runs too.
[[nodiscard]] std::vector<std::string> differences(const Record& recorded, const Record& now);

}  // namespace lacuna::test
