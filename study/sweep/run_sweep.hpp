// SPDX-License-Identifier: Apache-2.0
// Runs the points of a sweep in processes over the cores. Each finished point is written at once;
// one that is known by its content is not run again, one that fails is a row with its message.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

#include "study/sweep/spec.hpp"
#include "study/sweep/store.hpp"

namespace lacuna {

/// Points whose number is `part` - 1 modulo `parts`.
struct SweepShard {
  std::uint64_t part = 1, parts = 1;
};

struct SweepProgress {
  std::uint64_t points = 0;                       // of the shard
  std::uint64_t done = 0, failed = 0, known = 0;  // failed and known are done as well
  double seconds = 0;                             // since the start
};

inline constexpr unsigned kMostSweepJobs = 256;

struct SweepOptions {
  unsigned jobs = 1;  // processes at once, at most kMostSweepJobs
  SweepShard shard;
  bool retry_failed = false;
  /// Called from the processes, not too often, and at the end.
  std::function<void(const SweepProgress&)> progress;
};

/// Throws InputError, Interrupted.
SweepProgress run_sweep(const SweepSpec& spec, const std::filesystem::path& store,
                        const std::filesystem::path& scratch, const SweepOptions& options);
/// Only these points, by their numbers; there is no shard.
SweepProgress run_points(const SweepSpec& spec, const std::filesystem::path& store,
                         const std::filesystem::path& scratch, const SweepOptions& options,
                         const std::vector<std::uint64_t>& numbers);

}  // namespace lacuna
