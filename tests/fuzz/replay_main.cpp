// SPDX-License-Identifier: Apache-2.0
// Gives every file of a folder, and each cut in half, to a target: the corpus as ordinary tests,
// where there is no libFuzzer.
//
//   fuzz_replay TARGET FOLDER    fuzz_replay --list
#include <algorithm>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iterator>
#include <vector>

#include "tests/fuzz/target.hpp"

namespace {

namespace fs = std::filesystem;

std::string content(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

/// False when something other than InputError came out.
bool survives(const lacuna::fuzz::Target& target, const fs::path& file, const std::string& bytes) {
  try {
    lacuna::fuzz::run_target(target, bytes);
    return true;
  } catch (const std::exception& error) {
    std::printf("%s (%zu bytes): %s\n", file.c_str(), bytes.size(), error.what());
    return false;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string(argv[1]) == "--list") {
    std::printf("%s", lacuna::fuzz::target_names().c_str());
    return 0;
  }
  const auto* target = argc == 3 ? lacuna::fuzz::find_target(argv[1]) : nullptr;
  if (target == nullptr) {
    std::printf("fuzz_replay TARGET FOLDER, with one of:\n%s",
                lacuna::fuzz::target_names().c_str());
    return 2;
  }
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(argv[2])) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  bool sound = survives(*target, "nothing", "");
  for (const fs::path& file : files) {
    const std::string bytes = content(file);
    sound = survives(*target, file, bytes) && sound;
    sound = survives(*target, file, bytes.substr(0, bytes.size() / 2)) && sound;
  }
  std::printf("%s: %zu files\n", target->name, files.size());
  return sound && !files.empty() ? 0 : 1;
}
