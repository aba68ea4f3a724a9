// SPDX-License-Identifier: Apache-2.0
// Names that tell the runs of one report apart.
#pragma once

#include <string>
#include <vector>

#include "run/result.hpp"

namespace lacuna::report {

/// One clean line per run: the machine, and the workload where the runs differ in it; numbered
/// where that still is not unique.
[[nodiscard]] std::vector<std::string> run_labels(const std::vector<RunResult>& results);

/// One name per run that is safe as a folder on any file system and unique, in upper and lower case
/// alike.
[[nodiscard]] std::vector<std::string> run_folders(const std::vector<RunResult>& results);

/// The workload of all runs, clean; empty when they differ.
[[nodiscard]] std::string common_workload(const std::vector<RunResult>& results);

/// Every run is of the same workload.
[[nodiscard]] bool one_workload(const std::vector<RunResult>& results);

}  // namespace lacuna::report
