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

#include <string>
#include <vector>

#include "report/staged_folder.hpp"
#include "run/result.hpp"

namespace lacuna::report {

/// What decides which files there are.
struct ResultFiles {
  bool operations = false;  // runs of models and networks
  bool timeline = false;
  bool plots = true;  // draw the pictures; tables and scripts are written either way
};

/// The files that these runs will leave; of a run its name and its workload's are enough.
[[nodiscard]] std::vector<std::string> result_names(const std::vector<RunResult>& results,
                                                    const ResultFiles& files);

/// Writes everything, or nothing. Returns what the user should know about pictures and files kept
/// aside. Throws InputError when the folder cannot be written or the disk is full.
std::vector<std::string> write_results(StagedFolder& staged, const std::vector<RunResult>& results,
                                       bool plots = true);

/// Draws every script of the folder, unless told not to, and commits it. Returns what the user
/// should know about pictures and files kept aside.
std::vector<std::string> draw_and_commit(StagedFolder& staged, bool draw = true);

/// The last lines of a command: its notes, and where its results are unless `folder` is empty. On
/// standard error when standard output holds JSON.
void print_folder(const std::string& folder, const std::vector<std::string>& notes, bool json);

}  // namespace lacuna::report
