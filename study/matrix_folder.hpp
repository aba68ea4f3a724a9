// SPDX-License-Identifier: Apache-2.0
// What the commands that run many matrices share: shipped machines with overrides, and a folder of
// matrix files.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "arch/description/read_spec.hpp"
#include "base/config.hpp"
#include "base/shipped_files.hpp"

namespace lacuna {

[[nodiscard]] inline MachineSpec machine_with(const std::string& name,
                                              const std::vector<std::string>& settings) {
  const ConfigReader reader = machine_reader(load_config("arch", name, settings));
  MachineSpec machine = read_machine(reader);
  reader.finish();
  return machine;
}

/// The folder given on the command line, else LACUNA_MATRICES, else nothing. Throws InputError when
/// it is not a folder.
[[nodiscard]] inline std::filesystem::path matrix_folder(const std::string& given) {
  std::string folder = given;
  if (const char* variable = std::getenv("LACUNA_MATRICES"); folder.empty() && variable != nullptr)
    folder = variable;
  std::error_code ignored;
  if (!folder.empty() && !std::filesystem::is_directory(folder, ignored)) {
    throw InputError(Place{folder, 0, {}}, "no such folder of matrices");
  }
  return folder;
}

/// <folder>/<name>.mtx or .mtx.gz.
[[nodiscard]] inline std::optional<std::filesystem::path> matrix_file(
    const std::filesystem::path& folder, const std::string& name) {
  std::error_code ignored;
  for (const char* ending : {".mtx", ".mtx.gz"}) {
    if (folder.empty()) break;
    if (auto file = folder / (name + ending); std::filesystem::is_regular_file(file, ignored)) {
      return file;
    }
  }
  return {};
}

}  // namespace lacuna
