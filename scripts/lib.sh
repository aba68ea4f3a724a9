# SPDX-License-Identifier: Apache-2.0
# What the scripts share; sourced with bash from scripts/*. Everything here works without a
# terminal, without standard input and without write access outside build/.

set -euo pipefail
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$repository"

say() { printf '%s\n' "$*"; }
fail() { printf '%s\n' "$*" >&2; exit 1; }

# Compilers run at once: one for each core, but no more than the memory holds (1.5 GiB each, the
# largest translation unit of this project with room to spare). Containers often see all of the
# host's cores and little of its memory.
build_jobs() {
  local cores memory limit
  cores=$(nproc)
  memory=$(awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo 2>/dev/null || true)
  limit=$(cat /sys/fs/cgroup/memory.max 2>/dev/null || echo max)
  if [[ $limit =~ ^[0-9]+$ ]] && (( limit / 1048576 < ${memory:-1048576} )); then
    memory=$((limit / 1048576))
  fi
  local jobs=$cores
  if [[ -n $memory ]] && (( memory / 1536 < jobs )); then jobs=$((memory / 1536)); fi
  (( jobs >= 1 )) || jobs=1
  echo "$jobs"
}

# Reads a command's output and shows how far it is: one line that is rewritten on a terminal, and
# elsewhere a line a minute, so that whoever waits for a silent job does not take it for hung.
show_progress() {
  local label=$1 line step='' last=$SECONDS
  while IFS= read -r line; do
    if [[ $line =~ ^\ *\[?([0-9]+/[0-9]+)\]?\  ]]; then step=${BASH_REMATCH[1]}; fi
    if [[ -t 1 ]]; then
      if (( SECONDS != last )); then
        printf '\r\033[K%s: %s, %d s' "$label" "$step" "$SECONDS"
        last=$SECONDS
      fi
    elif (( SECONDS - last >= 60 )); then
      say "$label: $step, $SECONDS s"
      last=$SECONDS
    fi
  done
  if [[ -t 1 ]]; then printf '\r\033[K'; fi
}

# logged LABEL LOG COMMAND...: runs the command quietly, its output in LOG. Its exit code is the
# function's; the caller shows what is worth seeing of the log.
logged() {
  local label=$1 log=$2 status=0
  shift 2
  mkdir -p "$(dirname "$log")"
  SECONDS=0
  # In a pipe, so that an interrupt from the keyboard reaches the command too.
  "$@" </dev/null 2>&1 | tee "$log" | show_progress "$label" || status=$?
  if (( status == 0 )); then
    say "$label: done in $SECONDS s"
  else
    say "$label: FAILED after $SECONDS s"
  fi
  return "$status"
}

# What is worth reading of a failed build's log: from the first failed step on, else its end.
show_build_failure() {
  local log=$1 first
  first=$(grep -n -m 1 -E '^FAILED:|CMake Error' "$log" | cut -d: -f1 || true)
  if [[ -n $first ]]; then
    tail -n "+$first" "$log" | head -n 200
  else
    tail -n 60 "$log"
  fi
  say "The full log is $log"
}

# build PRESET [TARGET...]: configures and builds; returns non-zero, with the reason shown.
build() {
  local preset=$1
  shift
  local launcher log=build/$preset/logs targets=()
  launcher=$(command -v ccache || true)
  export CCACHE_SLOPPINESS=pch_defines,time_macros  # what ccache asks for beside precompiled headers
  if (( $# > 0 )); then targets=(--target "$@"); fi
  logged "configure ($preset)" "$log/configure.log" \
    cmake --preset "$preset" "-DCMAKE_CXX_COMPILER_LAUNCHER=$launcher" ||
    { show_build_failure "$log/configure.log"; return 1; }
  logged "build ($preset)" "$log/build.log" \
    cmake --build --preset "$preset" --parallel "$(build_jobs)" "${targets[@]}" ||
    { show_build_failure "$log/build.log"; return 1; }
}
