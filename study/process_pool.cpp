// SPDX-License-Identifier: Apache-2.0
#include "study/process_pool.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <new>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/interrupt.hpp"

namespace lacuna {
namespace {

namespace fs = std::filesystem;

constexpr int kInterrupted = 130;

/// Does the work; the code that its process ends with.
int code_of(const ProcessJob& job, std::string& why) {
  try {
    job.work();
    return 0;
  } catch (const Interrupted&) {
    return kInterrupted;
  } catch (const InputError& error) {
    why = error.what();
    return 2;
  } catch (const std::bad_alloc&) {
    why = "not enough memory";
    return 2;
  } catch (const std::exception& error) {
    why = std::string("internal error: ") + error.what();
    return 3;
  }
}

/// Runs the job in a child process, which leaves the reason of a failure in a file; its id.
pid_t start(const ProcessJob& job, const fs::path& reason) {
  std::fflush(nullptr);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) throw InputError("no process can be started", "use fewer --jobs");
  if (child > 0) return child;
  // It has nobody to work for when its parent ends, however that ends, now or in between.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(kInterrupted);
  std::string why;
  const int code = code_of(job, why);
  try {
    if (!why.empty()) write_file(reason, why);
  } catch (const std::exception&) {  // told below all the same
  }
  if (!why.empty()) fmt::print(stderr, "lacuna: {}: {}\n", job.name, why);
  std::fflush(nullptr);
  _exit(code);
}

/// What a job left about its end, or what its status says.
std::string why_it_ended(int status, const fs::path& reason) {
  std::error_code ignored;
  if (WIFSIGNALED(status)) return fmt::format("ended by signal {}", WTERMSIG(status));
  if (!fs::exists(reason, ignored)) return fmt::format("ended with code {}", WEXITSTATUS(status));
  std::string why = read_file(reason);
  fs::remove(reason, ignored);
  return why;
}

}  // namespace

void run_in_processes(const std::vector<ProcessJob>& jobs, unsigned at_once,
                      const fs::path& scratch,
                      const std::function<void(std::size_t, const ProcessEnd&)>& ended) {
  const auto reason = [&](std::size_t i) { return scratch / fmt::format("part{}.error", i); };
  std::map<pid_t, std::size_t> running;
  bool stopped = false;
  for (std::size_t next = 0; next < jobs.size() || !running.empty();) {
    if (next < jobs.size() && running.size() < at_once && !stopped) {
      running.emplace(start(jobs[next], reason(next)), next);
      ++next;
      continue;
    }
    if (running.empty()) break;
    int status = 0;
    const pid_t process = waitpid(-1, &status, 0);
    const auto job = running.find(process);
    if (stop_requested) {
      for (const auto& [other, index] : running) kill(other, SIGTERM);
      stopped = true;
    }
    if (job == running.end()) continue;  // interrupted by a signal
    const std::size_t index = job->second;
    running.erase(job);
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 3;
    if (code == kInterrupted) {
      stopped = true;
    } else {
      ended(index, {code, code == 0 ? std::string() : why_it_ended(status, reason(index))});
    }
  }
  if (stopped) throw Interrupted();
}

}  // namespace lacuna
