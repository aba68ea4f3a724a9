// SPDX-License-Identifier: Apache-2.0
// A sweep as jobs of Slurm: an array whose tasks run shards, and a job that merges them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace lacuna {

/// Slurm's own limit where its configuration says none: the largest index is one less.
inline constexpr std::uint64_t kUsualMaxArraySize = 1001;

struct SlurmSweep {
  std::string name;
  std::filesystem::path program, file, out;  // absolute
  std::uint64_t tasks = 1;
};

/// So many tasks that each runs for some minutes; at most one a point, and what an array may have.
[[nodiscard]] std::uint64_t slurm_tasks(std::uint64_t points, double seconds_a_point,
                                        double minutes_a_task, std::uint64_t max_array_size);

/// The array: task i of n runs shard i/n into a folder of its own. A task that is put back into the
/// queue goes on where it was.
[[nodiscard]] std::string slurm_points_script(const SlurmSweep& sweep);
/// Takes over the shards that are there and writes the tables.
[[nodiscard]] std::string slurm_merge_script(const SlurmSweep& sweep);
/// Submits both, the second after the first, however its tasks end.
[[nodiscard]] std::string slurm_submit_script(const SlurmSweep& sweep);

}  // namespace lacuna
