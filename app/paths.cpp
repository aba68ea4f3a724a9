// SPDX-License-Identifier: Apache-2.0
#include "app/paths.hpp"

#include <algorithm>
#include <cstdlib>
#include <set>

#include "base/error.hpp"

namespace lacuna {
namespace fs = std::filesystem;

std::vector<fs::path> config_folders() {
  std::vector<fs::path> folders;
  if (const char* given = std::getenv("LACUNA_CONFIGS"); given != nullptr && *given != '\0') {
    folders.emplace_back(given);
  }
  std::error_code ignored;
  folders.emplace_back(LACUNA_SOURCE_CONFIGS);
  // An installed binary stands in <prefix>/bin, its data in <prefix>/share/lacuna.
  if (const auto binary = fs::read_symlink("/proc/self/exe", ignored); !ignored) {
    folders.push_back(binary.parent_path().parent_path() / "share" / "lacuna" / "configs");
  }
  std::erase_if(folders,
                [&](const fs::path& folder) { return !fs::is_directory(folder, ignored); });
  return folders;
}

std::vector<std::string> shipped(const std::string& kind) {
  std::set<std::string> names;
  std::error_code ignored;
  for (const auto& folder : config_folders()) {
    const fs::path root = folder / kind;
    for (const auto& entry : fs::recursive_directory_iterator(root, ignored)) {
      const auto ending = entry.path().extension();
      if (ending != ".yaml" && ending != ".json") continue;
      names.insert(fs::relative(entry.path(), root, ignored).replace_extension().string());
    }
  }
  return {names.begin(), names.end()};
}

fs::path find_config(const std::string& kind, const std::string& name) {
  std::error_code ignored;
  if (fs::is_regular_file(name, ignored)) return name;
  for (const auto& folder : config_folders()) {
    for (const char* ending : {"", ".yaml", ".json"}) {
      const fs::path candidate = folder / kind / (name + ending);
      if (fs::is_regular_file(candidate, ignored)) return candidate;
    }
  }
  throw InputError(Place{name, 0, {}},
                   fmt::format("no such file, and no shipped {} has this name", kind),
                   suggest(name, shipped(kind)));
}

}  // namespace lacuna
