// SPDX-License-Identifier: Apache-2.0
#include "tests/app/killed.hpp"

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

/// Sees the stops of the work and of what it forks, until one too many.
Killed watch(pid_t child, unsigned call, std::set<pid_t>& alive) {
  unsigned entered = 0;
  std::set<pid_t> within;  // a system call
  while (true) {
    int status = 0;
    const pid_t process = ::waitpid(-1, &status, __WALL);
    if (process < 0) throw std::runtime_error("the work is lost");
    if (WIFEXITED(status) || WIFSIGNALED(status)) {
      alive.erase(process);
      if (process != child) continue;
      if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) throw std::runtime_error("it failed");
      return Killed::ended_before;
    }
    alive.insert(process);
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
  for (const pid_t process : alive) ::waitpid(process, &status, __WALL);
  return how;
}

}  // namespace lacuna::test
