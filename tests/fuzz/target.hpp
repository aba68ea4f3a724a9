// SPDX-License-Identifier: Apache-2.0
// A fuzz target: a name and a function that gives some bytes to a reader. The reader may take them
// or throw InputError; anything else, and any time or memory out of proportion, is a finding.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace lacuna::fuzz {

struct Target {
  const char* name;
  void (*read)(const std::string& bytes);
};

/// Registers the target; used through FUZZ_TARGET alone.
bool add_target(const Target& target);
/// nullptr when there is none of that name.
[[nodiscard]] const Target* find_target(const std::string& name);
/// Names, one a line.
[[nodiscard]] std::string target_names();

/// The bytes as a file, for readers that take paths: one file in memory, written anew each time.
[[nodiscard]] std::filesystem::path as_file(const std::string& bytes);

/// Numbers of five digits and more: a matrix of so many rows is read, or refused by its limit, but
/// takes as long as a hundred small ones. Tests of the limits look at those.
[[nodiscard]] bool has_large_numbers(const std::string& bytes);

/// Gives the bytes to the target; InputError is the answer to most.
void run_target(const Target& target, const std::string& bytes);

}  // namespace lacuna::fuzz

/// FUZZ_TARGET(name) { ... bytes ... }
#define FUZZ_TARGET(name)                               \
  static void read_##name(const std::string& bytes);    \
  [[maybe_unused]] static const bool added_##name =     \
      ::lacuna::fuzz::add_target({#name, read_##name}); \
  static void read_##name([[maybe_unused]] const std::string& bytes)
