// SPDX-License-Identifier: Apache-2.0
#include "base/config_descriptions.hpp"

#include <fmt/ranges.h>

#include <optional>
#include <sstream>

namespace lacuna {
namespace {

ConfigDescriptions::Path split(const std::string& text) {
  ConfigDescriptions::Path path;
  std::istringstream keys(text);
  for (std::string key; std::getline(keys, key, '.');) path.push_back(key);
  return path;
}

/// How many segments fit by "*" alone; nothing when the entry does not fit.
std::optional<std::size_t> stars(const ConfigDescriptions::Path& entry,
                                 const ConfigDescriptions::Path& path) {
  if (entry.size() != path.size()) return std::nullopt;
  std::size_t stars = 0;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (entry[i] == path[i]) continue;
    if (entry[i] != "*") return std::nullopt;
    ++stars;
  }
  return stars;
}

}  // namespace

ConfigDescriptions::ConfigDescriptions(const ConfigTree& tree) {
  for (const auto& [key, value] : tree.children) entries_.push_back({split(key), value.scalar});
}

std::string ConfigDescriptions::find(const Path& path) const {
  const Entry* best = nullptr;
  std::size_t fewest = path.size() + 1;
  for (const Entry& entry : entries_) {
    const auto found = stars(entry.path, path);
    if (!found || *found >= fewest) continue;
    best = &entry;
    fewest = *found;
  }
  if (best == nullptr) return {};
  best->used = true;
  return best->words;
}

std::vector<std::string> ConfigDescriptions::unused() const {
  std::vector<std::string> paths;
  for (const Entry& entry : entries_) {
    if (!entry.used) paths.push_back(fmt::format("{}", fmt::join(entry.path, ".")));
  }
  return paths;
}

}  // namespace lacuna
