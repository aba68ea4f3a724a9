// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/target.hpp"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <map>
#include <stdexcept>

#include "base/error.hpp"

namespace lacuna::fuzz {
namespace {

std::map<std::string, Target>& targets() {
  static std::map<std::string, Target> all;
  return all;
}

}  // namespace

bool has_large_numbers(const std::string& bytes) {
  unsigned digits = 0;
  for (const char c : bytes) {
    digits = c >= '0' && c <= '9' ? digits + 1 : 0;
    if (digits >= 5) return true;
  }
  return false;
}

bool add_target(const Target& target) {
  return targets().emplace(target.name, target).second;
}

const Target* find_target(const std::string& name) {
  const auto found = targets().find(name);
  return found == targets().end() ? nullptr : &found->second;
}

std::string target_names() {
  std::string out;
  for (const auto& [name, target] : targets()) out += name + "\n";
  return out;
}

std::filesystem::path as_file(const std::string& bytes) {
  static const int file = ::memfd_create("fuzz", MFD_CLOEXEC);
  const bool written =
      file >= 0 && ::ftruncate(file, 0) == 0 &&
      ::pwrite(file, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size());
  if (!written) throw std::runtime_error("no memory for a file");
  return fmt::format("/proc/self/fd/{}", file);
}

void run_target(const Target& target, const std::string& bytes) {
  try {
    target.read(bytes);
  } catch (const InputError&) {
    // Wrong input, said so.
  }
}

}  // namespace lacuna::fuzz
