// SPDX-License-Identifier: Apache-2.0
#include "tests/app/killed.hpp"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>

namespace lacuna::test {
namespace {

constexpr int kCannot = 97;

[[noreturn]] void work_traced(const std::function<void()>& work) {
  if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(kCannot);
  ::raise(SIGSTOP);
  try {
    work();
  } catch (...) {
    ::_exit(1);
  }
  ::_exit(0);
}

}  // namespace

Killed kill_at_call(unsigned call, const std::function<void()>& work) {
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("fork failed");
  if (child == 0) work_traced(work);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status)) return Killed::cannot_trace;
  // Each call stops twice: as it is entered, and as it returns.
  for (unsigned stop = 0; stop <= 2 * call; ++stop) {
    ::ptrace(PTRACE_SYSCALL, child, nullptr, nullptr);
    ::waitpid(child, &status, 0);
    if (WIFEXITED(status)) {
      if (WEXITSTATUS(status) != 0) throw std::runtime_error("the work failed");
      return Killed::ended_before;
    }
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, &status, 0);
  return Killed::before_the_call;
}

}  // namespace lacuna::test
