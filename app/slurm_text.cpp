// SPDX-License-Identifier: Apache-2.0
#include "app/slurm_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/file.hpp"

namespace lacuna {
namespace {

/// A text as the shell takes it, whatever it holds.
std::string shell_quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + '\'';
}

/// A job's name in one word, as #SBATCH lines are not the shell's.
std::string job_name(const std::string& name, const char* what) {
  std::string out = name + '-' + what;
  std::replace_if(
      out.begin(), out.end(), [](unsigned char c) { return std::isalnum(c) == 0 && c != '-'; },
      '-');
  return out;
}

std::string variables(const SlurmSweep& sweep) {
  return fmt::format("program={}\nsweep={}\nout={}\n", shell_quoted(sweep.program.string()),
                     shell_quoted(sweep.file.string()), shell_quoted(sweep.out.string()));
}

}  // namespace

std::uint64_t slurm_tasks(std::uint64_t points, double seconds_a_point, double minutes_a_task,
                          std::uint64_t max_array_size) {
  const double all = static_cast<double>(points) * seconds_a_point;
  const double wanted = std::ceil(all / (60 * minutes_a_task));
  const std::uint64_t most = std::min(points, max_array_size - 1);
  if (!(wanted < static_cast<double>(most))) return most;
  return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(wanted));
}

std::string slurm_points_script(const SlurmSweep& sweep) {
  return fmt::format(
      "#!/bin/bash\n"
      "#SBATCH --job-name={}\n"
      "#SBATCH --array=1-{}\n"
      "#SBATCH --requeue\n"
      "#SBATCH --open-mode=append\n"
      "# Points that a task has finished stay in its folder: one that is put back into the queue "
      "goes on.\n"
      "{}tasks={}\n"
      "exec \"$program\" sweep \"$sweep\" --out \"$out/shards/$SLURM_ARRAY_TASK_ID\" \\\n"
      "  --shard \"$SLURM_ARRAY_TASK_ID/$tasks\" --jobs \"${{SLURM_CPUS_PER_TASK:-1}}\"\n",
      job_name(sweep.name, "points"), sweep.tasks, variables(sweep), sweep.tasks);
}

std::string slurm_merge_script(const SlurmSweep& sweep) {
  return fmt::format(
      "#!/bin/bash\n"
      "#SBATCH --job-name={}\n"
      "#SBATCH --requeue\n"
      "#SBATCH --open-mode=append\n"
      "{}tasks={}\n"
      "merge=()\n"
      "for ((task = 1; task <= tasks; ++task)); do\n"
      "  if [[ -e $out/shards/$task/points.sqlite ]]; then\n"
      "    merge+=(--merge \"$out/shards/$task\")\n"
      "  else\n"
      "    echo \"task $task has left nothing; submit again, what is finished is not run again\"\n"
      "  fi\n"
      "done\n"
      "exec \"$program\" sweep \"$sweep\" --out \"$out\" \"${{merge[@]}}\"\n",
      job_name(sweep.name, "merge"), variables(sweep), sweep.tasks);
}

std::string slurm_submit_script(const SlurmSweep& sweep) {
  return fmt::format(
      "#!/bin/bash\n"
      "# Submits the sweep; arguments go to sbatch, for both jobs: ./submit --partition=long\n"
      "set -euo pipefail\n"
      "out={}\n"
      "mkdir -p \"$out/slurm/log\"\n"
      "points=$(sbatch --parsable --output=\"$out/slurm/log/points-%a.txt\" \"$@\" "
      "\"$out/slurm/points.sh\")\n"
      "merge=$(sbatch --parsable --output=\"$out/slurm/log/merge.txt\" "
      "--dependency=\"afterany:$points\" \\\n"
      "  \"$@\" \"$out/slurm/merge.sh\")\n"
      "echo \"jobs $points and $merge; tables: $out\"\n",
      shell_quoted(sweep.out.string()));
}

}  // namespace lacuna
