// SPDX-License-Identifier: Apache-2.0
// The folder a run leaves.
//
// One result:                        several:
//   result.json                        result.json     the list of all
//   resolved.yaml                      results.csv, the long tables, scripts and pictures of all
//   results.csv                        <machine>/result.json
//   energy.csv .gp .svg .png           <machine>/resolved.yaml
//   traffic, occupancy, ...            <machine>/timeline.json
//   timeline.json
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "app/result.hpp"

namespace lacuna::report {

struct WriteOptions {
  bool plots = true;  // draw the pictures; tables and scripts are written either way
  /// Called when all is written and nothing is visible yet; what it throws leaves nothing behind.
  std::function<void()> before_commit;
};

/// Writes everything, or nothing: the folder appears under its name when it is complete. Replaces
/// an earlier result of that name. Returns what the user should know about the pictures. Throws
/// InputError when the folder cannot be written, the disk is full, or it holds something else.
std::vector<std::string> write_results(const std::filesystem::path& folder,
                                       const std::vector<RunResult>& results,
                                       const WriteOptions& options = {});

/// The last lines of a command: its notes, and where its results are unless `folder` is empty. On
/// standard error when standard output holds JSON.
void print_folder(const std::string& folder, const std::vector<std::string>& notes, bool json);

}  // namespace lacuna::report
