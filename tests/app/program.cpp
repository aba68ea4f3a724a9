// SPDX-License-Identifier: Apache-2.0
#include "tests/app/program.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <thread>

#include "tests/catch.hpp"

namespace lacuna::test {
namespace {

namespace fs = std::filesystem;

std::string content(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

[[noreturn]] void become_lacuna(std::vector<char*>& arguments, const Launch& launch,
                                const fs::path& out, int to_err) {
  const int to_out = ::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  const int from = ::open("/dev/null", O_RDONLY);
  if (to_out < 0 || from < 0 || ::chdir(launch.folder.c_str()) != 0) ::_exit(99);
  ::dup2(from, 0);
  ::dup2(to_out, 1);
  ::dup2(to_err, 2);
  if (launch.largest_file > 0) {
    const rlimit limit{launch.largest_file, launch.largest_file};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  if (launch.address_space > 0) {
    const rlimit limit{launch.address_space, launch.address_space};
    ::setrlimit(RLIMIT_AS, &limit);
  }
  // The handlers of the test end before the name does: handles() must not take them for ours.
  ::signal(SIGINT, SIG_DFL);
  ::signal(SIGTERM, SIG_DFL);
  ::execv(arguments[0], arguments.data());
  ::_exit(98);
}

/// Whether the process is lacuna by now and handles the signal, as /proc tells.
bool handles(pid_t process, int signal) {
  std::ifstream status(fmt::format("/proc/{}/status", process));
  std::string word, name;
  std::uint64_t caught = 0;
  while (status >> word) {
    if (word == "Name:") status >> name;
    if (word == "SigCgt:") status >> std::hex >> caught;
  }
  return name == "lacuna" && (signal == SIGKILL || (caught >> (signal - 1) & 1U) != 0);
}

int wait_for(pid_t child, const Launch& launch) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  const auto signal_at = start + std::chrono::milliseconds(launch.signal_after_ms);
  bool signalled = launch.signal_after_ms == 0;
  while (true) {
    int status = 0;
    if (::waitpid(child, &status, WNOHANG) == child) {
      return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    if (!signalled && Clock::now() >= signal_at && handles(child, launch.signal) &&
        (!launch.ready_to_signal || launch.ready_to_signal())) {
      ::kill(child, launch.signal);
      signalled = true;
    }
    if (Clock::now() - start > std::chrono::seconds(120)) {
      ::kill(child, SIGKILL);
      ::waitpid(child, &status, 0);
      throw std::runtime_error("lacuna did not end within two minutes");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

}  // namespace

Finished run_lacuna(const std::vector<std::string>& arguments, const Launch& launch) {
  static std::atomic<int> number = 0;
  const fs::path logs = binary_dir() / "scratch" / "logs";
  fs::create_directories(logs);
  const std::string name = std::to_string(::getpid()) + "-" + std::to_string(number++);
  const fs::path out =
      launch.output_to.empty() ? logs / (name + ".out") : fs::path(launch.output_to);
  // A pipe holds all that is ever said there, and no limit on files touches it.
  int err[2];
  if (::pipe(err) != 0) throw std::runtime_error("no pipe");
  std::vector<std::string> texts{(binary_dir() / "app" / "lacuna").string()};
  texts.insert(texts.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& text : texts) argv.push_back(text.data());
  argv.push_back(nullptr);
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("fork failed");
  if (child == 0) become_lacuna(argv, launch, out, err[1]);
  ::close(err[1]);
  Finished finished;
  finished.code = wait_for(child, launch);
  if (launch.output_to.empty()) finished.out = content(out);
  char buffer[4096];
  for (ssize_t got = 0; (got = ::read(err[0], buffer, sizeof buffer)) > 0;) {
    finished.err.append(buffer, static_cast<std::size_t>(got));
  }
  ::close(err[0]);
  std::error_code ignored;
  if (launch.output_to.empty()) fs::remove(out, ignored);
  return finished;
}

Finished run_in(const fs::path& folder, const std::vector<std::string>& arguments) {
  return run_lacuna(arguments, {.folder = folder, .output_to = {}, .ready_to_signal = {}});
}

void refuses(const fs::path& folder, const std::vector<std::string>& arguments,
             const std::string& expected, std::uint64_t largest_file) {
  const auto before = everything_in(folder);
  const Finished f = run_lacuna(
      arguments,
      {.folder = folder, .largest_file = largest_file, .output_to = {}, .ready_to_signal = {}});
  CAPTURE(arguments, f.out, f.err);
  CHECK(f.code == 2);
  CHECK(f.out.empty());
  CHECK(f.err.rfind("lacuna: ", 0) == 0);
  CHECK(std::count(f.err.begin(), f.err.end(), '\n') == 1);
  CHECK(f.err.find(expected) != std::string::npos);
  CHECK(everything_in(folder) == before);
}

std::set<std::string> everything_in(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    names.insert(fs::relative(entry.path(), folder).string());
  }
  return names;
}

}  // namespace lacuna::test
