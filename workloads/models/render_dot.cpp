// SPDX-License-Identifier: Apache-2.0
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "base/interrupt.hpp"
#include "workloads/models/model_report.hpp"

namespace lacuna {

std::optional<std::filesystem::path> render_dot(const std::filesystem::path& file) {
  std::filesystem::path picture = file;
  picture.replace_extension(".svg");
  std::string program = "dot", format = "-Tsvg", out_flag = "-o", out = picture.string(),
              in = file.string();
  // No shell in between: file names are passed as they are.
  std::array<char*, 6> arguments{program.data(), format.data(), out_flag.data(),
                                 out.data(),     in.data(),     nullptr};
  pid_t child = 0;
  if (posix_spawnp(&child, "dot", nullptr, nullptr, arguments.data(), environ) != 0) return {};
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return {};
    if (stop_requested) kill(child, SIGKILL);
  }
  stop_if_requested();
  const bool drawn = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  return drawn ? std::optional(picture) : std::nullopt;
}

}  // namespace lacuna
