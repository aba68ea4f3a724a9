// SPDX-License-Identifier: Apache-2.0
// Jobs in processes of their own, several at once: what one of them breaks, or the memory that it
// takes, is no other's.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace lacuna {

struct ProcessJob {
  std::string name;            // in messages
  std::function<void()> work;  // what it finds goes into files: its memory ends with its process
};

struct ProcessEnd {
  int code = 0;     // 0: well, 2: an input is at fault, 3: the model, or a signal
  std::string why;  // of a code other than 0
};

/// Starts the jobs in their order, at most `at_once` together, and calls `ended` with a job's index
/// as each ends; reasons pass through files in `scratch`. The processes end with this one, however
/// that ends. Throws Interrupted when the user wants an end, InputError when no process can be
/// started.
void run_in_processes(const std::vector<ProcessJob>& jobs, unsigned at_once,
                      const std::filesystem::path& scratch,
                      const std::function<void(std::size_t, const ProcessEnd&)>& ended);

}  // namespace lacuna
