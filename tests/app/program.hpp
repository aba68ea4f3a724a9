// SPDX-License-Identifier: Apache-2.0
// The program itself as a child process: its exit code, what it printed, what it left behind.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <vector>

namespace lacuna::test {

struct Finished {
  int code = -1;    // exit code; 128 + n when signal n ended it
  std::string out;  // standard output
  std::string err;  // standard error
};

struct Launch {
  std::filesystem::path folder;           // where it runs
  std::uint64_t largest_file = 0;         // bytes it may write to one file; 0 = any
  std::uint64_t address_space = 0;        // bytes it may map; 0 = any
  std::string output_to;                  // a file for its standard output; empty: `out` above
  int signal_after_ms = 0;                // 0: none; never before the program handles it
  int signal = 2;                         // SIGINT
  std::function<bool()> ready_to_signal;  // when given, the signal waits for it as well
};

/// Runs `lacuna` with these arguments and waits for it.
[[nodiscard]] Finished run_lacuna(const std::vector<std::string>& arguments, const Launch& launch);

/// Likewise in a folder, to its end.
[[nodiscard]] Finished run_in(const std::filesystem::path& folder,
                              const std::vector<std::string>& arguments);

/// Exit code 2, one line that names the program and says `expected`; nothing printed or left
/// behind. `largest_file`: see Launch.
void refuses(const std::filesystem::path& folder, const std::vector<std::string>& arguments,
             const std::string& expected, std::uint64_t largest_file = 0);

/// Everything below a folder, by relative path.
[[nodiscard]] std::set<std::string> everything_in(const std::filesystem::path& folder);

}  // namespace lacuna::test
