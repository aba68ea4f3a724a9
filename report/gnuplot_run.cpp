// SPDX-License-Identifier: Apache-2.0
// Runs gnuplot: all scripts at once, each in a process of its own, without a shell.
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fstream>
#include <optional>

#include "base/interrupt.hpp"
#include "report/plots.hpp"
#include "report/text_layout.hpp"

extern char** environ;  // NOLINT: POSIX

namespace lacuna::report {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kPatience{60};
constexpr std::size_t kLongestComplaint = 2000;

struct Process {
  std::string script;
  pid_t id;
  int errors;  // the reading end of its standard error
};

/// Ends those that nobody has waited for, when the user wants an end meanwhile.
struct Running {
  std::vector<Process> processes;
  ~Running() {
    for (const Process& process : processes) {
      if (process.id == 0) continue;
      ::kill(process.id, SIGKILL);
      ::waitpid(process.id, nullptr, 0);
      ::close(process.errors);
    }
  }
};

/// Nothing, with errno set, when it cannot be started.
std::optional<Process> start(const fs::path& folder, const std::string& script) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return std::nullopt;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
  posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
  // -d: no start-up file of the user's changes the pictures.
  std::string program = "gnuplot";
  std::string defaults = "-d";
  std::string file = script;
  const std::array<char*, 4> arguments{program.data(), defaults.data(), file.data(), nullptr};
  pid_t id = 0;
  const int error = ::posix_spawnp(&id, "gnuplot", &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  if (error != 0) {
    ::close(ends[0]);
    errno = error;
    return std::nullopt;
  }
  return Process{script, id, ends[0]};
}

/// What the process wrote until it closed its standard error or patience ended (then false).
bool listen(const Process& process, Clock::time_point deadline, std::string& said) {
  std::array<char, 4096> buffer{};
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    stop_if_requested();
    constexpr long long kLook = 200;  // ms until the user's wish is looked at again
    pollfd waiting{process.errors, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(std::clamp<long long>(left, 0, kLook)));
    if ((ready < 0 && errno == EINTR) || (ready == 0 && left > 0)) continue;
    if (ready <= 0) return false;
    const auto got = ::read(process.errors, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return true;
    if (said.size() < kLongestComplaint) said.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

/// The exit code, or -1 when it was ended by a signal.
int finish(Process& process, Clock::time_point deadline, std::string& said) {
  if (!listen(process, deadline, said)) {
    ::kill(process.id, SIGKILL);
    said += fmt::format("\nended after {} s", kPatience.count());
  }
  ::close(process.errors);
  int status = 0;
  while (::waitpid(process.id, &status, 0) < 0 && errno == EINTR) {
  }
  process.id = 0;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// Both formats end with a mark, so a picture cut short by a full disk is told by its tail.
bool whole(const fs::path& picture) {
  std::ifstream stream(picture, std::ios::binary | std::ios::ate);
  if (!stream) return false;
  constexpr std::streamoff most = 64;
  const std::streamoff size = stream.tellg();
  const std::streamoff tail = std::min(size, most);
  stream.seekg(size - tail);
  std::string text(static_cast<std::size_t>(tail), '\0');
  stream.read(text.data(), tail);
  const char* mark = picture.extension() == ".png" ? "IEND" : "</svg>";
  return text.find(mark) != std::string::npos;
}

void collect(const fs::path& folder, const std::string& script, Rendered& out) {
  for (const char* extension : {".svg", ".png"}) {
    const fs::path picture = (folder / script).replace_extension(extension);
    if (whole(picture)) {
      out.files.push_back(picture.filename().string());
      continue;
    }
    std::error_code ignored;
    fs::remove(picture, ignored);
    out.warnings.push_back(fmt::format("{}: gnuplot did not draw it", picture.filename().string()));
  }
}

std::vector<std::string> scripts_in(const fs::path& folder) {
  std::vector<std::string> scripts;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (at->path().extension() == ".gp") scripts.push_back(at->path().filename().string());
  }
  std::sort(scripts.begin(), scripts.end());
  return scripts;
}

}  // namespace

Rendered render_plots(const fs::path& folder) {
  Rendered out;
  const auto scripts = scripts_in(folder);
  Running running;
  int failure = 0;
  for (const std::string& script : scripts) {
    if (auto process = start(folder, script)) {
      running.processes.push_back(*process);
    } else {
      failure = errno;
      break;
    }
  }
  const auto deadline = Clock::now() + kPatience;
  for (Process& process : running.processes) {
    std::string said;
    const int code = finish(process, deadline, said);
    if (code != 0 || !said.empty()) {
      out.warnings.push_back(
          clean(fmt::format("{}: gnuplot: {}", process.script,
                            said.empty() ? fmt::format("exit code {}", code) : said)));
    }
    collect(folder, process.script, out);
  }
  if (failure != 0) {
    out.note = fmt::format(
        "{}; draw the plots later with gnuplot in the result folder: {}",
        failure == ENOENT ? std::string("gnuplot is not installed")
                          : fmt::format("gnuplot cannot be started ({})", std::strerror(failure)),
        fmt::join(scripts, " "));
  }
  return out;
}

}  // namespace lacuna::report
