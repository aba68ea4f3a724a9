// SPDX-License-Identifier: Apache-2.0
#include "tests/report/killed.hpp"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>
#include <stdexcept>

namespace lacuna::test {
namespace {

[[noreturn]] void work_traced(const std::function<void()>& work) {
  constexpr int kCannot = 97;
  if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(kCannot);
  ::raise(SIGSTOP);
  try {
    work();
  } catch (...) {
    ::_exit(1);
  }
  ::_exit(0);
}

void resume(pid_t process) {
  ::ptrace(PTRACE_SYSCALL, process, nullptr, nullptr);
}

/// The process that this stop tells of, which may not have been seen itself yet; 0: none.
pid_t forked_at(pid_t process, int status) {
  const int event = status >> 16;
  unsigned long made = 0;  // NOLINT: ptrace's type
  if (event != PTRACE_EVENT_FORK && event != PTRACE_EVENT_CLONE) return 0;
  return ::ptrace(PTRACE_GETEVENTMSG, process, nullptr, &made) == 0 ? static_cast<pid_t>(made) : 0;
}

/// Until it is gone, and with it what it held locked; its last stops may come first.
void wait_for_end(pid_t process) {
  int status = 0;
  while (::waitpid(process, &status, __WALL) == process) {
    if (WIFEXITED(status) || WIFSIGNALED(status)) return;
  }
}

/// Sees the stops of the work and of what it forks, until one too many.
Killed watch(pid_t child, unsigned call, std::set<pid_t>& alive) {
  unsigned entered = 0;
  std::set<pid_t> within;  // a system call
  std::set<pid_t> ended;
  while (true) {
    int status = 0;
    const pid_t process = ::waitpid(-1, &status, __WALL);
    if (process < 0) throw std::runtime_error("the work is lost");
    if (WIFEXITED(status) || WIFSIGNALED(status)) {
      alive.erase(process);
      ended.insert(process);
      if (process != child) continue;
      if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) throw std::runtime_error("it failed");
      return Killed::ended_before;
    }
    alive.insert(process);
    const pid_t made = forked_at(process, status);
    if (made != 0 && !ended.contains(made)) alive.insert(made);
    constexpr int kCall = SIGTRAP | 0x80;  // PTRACE_O_TRACESYSGOOD
    if (WSTOPSIG(status) == kCall) {
      const bool enters = within.insert(process).second;
      if (!enters) within.erase(process);
      if (enters && entered++ == call) return Killed::before_the_call;
    }
    resume(process);
  }
}

}  // namespace

Killed kill_at_call(unsigned call, const std::function<void()>& work) {
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("fork failed");
  if (child == 0) work_traced(work);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status)) return Killed::cannot_trace;
  ::ptrace(PTRACE_SETOPTIONS, child, nullptr,
           PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL);
  resume(child);
  std::set<pid_t> alive{child};
  const Killed how = watch(child, call, alive);
  for (const pid_t process : alive) ::kill(process, SIGKILL);
  for (const pid_t process : alive) wait_for_end(process);
  return how;
}

}  // namespace lacuna::test
