// SPDX-License-Identifier: Apache-2.0
// Runs the built program as a user does.
#pragma once

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "tests/catch.hpp"

extern char** environ;  // NOLINT: POSIX

namespace lacuna::test {

struct Ran {
  int code = -1;  // -1: ended by a signal
  std::string out;
  std::string err;
};

/// `lacuna` with these arguments, without a shell; `name` is a scratch folder of the caller's own.
inline Ran run_lacuna(const std::string& name, std::vector<std::string> arguments) {
  const auto folder = scratch("run_lacuna/" + name);
  const std::string program = (binary_dir() / "app" / "lacuna").string();
  arguments.insert(arguments.begin(), program);
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const std::string out = (folder / "out").string();
  const std::string err = (folder / "err").string();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  constexpr int kWrite = O_WRONLY | O_CREAT | O_TRUNC;
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out.c_str(), kWrite, 0644);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, err.c_str(), kWrite, 0644);
  pid_t id = 0;
  const int failed = ::posix_spawn(&id, program.c_str(), &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  REQUIRE(failed == 0);
  int status = 0;
  while (::waitpid(id, &status, 0) < 0 && errno == EINTR) {
  }
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_file(out), read_file(err)};
}

/// Refused as bad input is: exit code 2, nothing on standard output, one message that says `part`.
inline void check_refused(const std::string& name, const std::vector<std::string>& arguments,
                          const std::string& part) {
  const Ran ran = run_lacuna(name, arguments);
  INFO(name << ": " << ran.err);
  CHECK(ran.code == 2);
  CHECK(ran.out.empty());
  CHECK(ran.err.starts_with("lacuna: "));
  CHECK(ran.err.find(part) != std::string::npos);
  CHECK(ran.err.find("internal error") == std::string::npos);
}

}  // namespace lacuna::test
