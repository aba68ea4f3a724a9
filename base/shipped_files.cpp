// SPDX-License-Identifier: Apache-2.0
#include "base/shipped_files.hpp"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <set>

#include "base/error.hpp"

namespace lacuna {
namespace fs = std::filesystem;

std::vector<fs::path> data_folders(const char* variable, const std::string& in_source,
                                   const std::string& in_share) {
  std::vector<fs::path> folders;
  if (const char* given = std::getenv(variable); given != nullptr && *given != '\0') {
    folders.emplace_back(given);
  }
  std::error_code ignored;
  folders.push_back(fs::path(LACUNA_SOURCE_DIR) / in_source);
  // An installed binary stands in <prefix>/bin, its data in <prefix>/share/lacuna.
  if (const auto binary = fs::read_symlink("/proc/self/exe", ignored); !ignored) {
    folders.push_back(binary.parent_path().parent_path() / "share" / "lacuna" / in_share);
  }
  std::erase_if(folders,
                [&](const fs::path& folder) { return !fs::is_directory(folder, ignored); });
  return folders;
}

std::vector<fs::path> config_folders() {
  return data_folders("LACUNA_CONFIGS", "configs", "configs");
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

namespace {

std::optional<fs::path> shipped_file(const std::string& kind, const std::string& name) {
  std::error_code ignored;
  for (const auto& folder : config_folders()) {
    for (const char* ending : {"", ".yaml", ".json"}) {
      const fs::path candidate = folder / kind / (name + ending);
      if (fs::is_regular_file(candidate, ignored)) return candidate;
    }
  }
  return std::nullopt;
}

}  // namespace

fs::path find_config(const std::string& kind, const std::string& name) {
  std::error_code ignored;
  // A pipe is a file too.
  if (fs::exists(name, ignored) && !fs::is_directory(name, ignored)) return name;
  if (auto file = shipped_file(kind, name)) return *file;
  throw InputError(Place{shortened(name), 0, {}},
                   fmt::format("no such file, and no shipped {} has this name", kind),
                   suggest(name, shipped(kind)));
}

ConfigTree load_config(const std::string& kind, const std::string& name,
                       const std::vector<std::string>& settings) {
  ConfigTree tree = load_config_file(kind, find_config(kind, name));
  for (const auto& setting : settings) tree.set(setting);
  return tree;
}

ConfigTree load_config_file(const std::string& kind, const fs::path& file) {
  return ConfigTree::load(file, [&kind](const std::string& name, const Place& asked_by) {
    if (auto found = shipped_file(kind, name)) return *found;
    throw InputError(asked_by,
                     fmt::format("'{}' is no file beside this one, and no shipped {} has this name",
                                 shortened(name), kind),
                     suggest(name, shipped(kind)));
  });
}

}  // namespace lacuna
