// SPDX-License-Identifier: Apache-2.0
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "base/config.hpp"
#include "base/config_yaml.hpp"
#include "base/quantity_text.hpp"

namespace lacuna {
namespace {

constexpr std::string_view kSetOrigin = "--set ";

namespace fs = std::filesystem;
using FindBase = ConfigTree::FindBase;

/// An empty text is a mapping without keys.
ConfigTree as_mapping(ConfigTree tree, const std::string& name) {
  if (tree.kind == ConfigTree::Kind::null) {
    tree.kind = ConfigTree::Kind::mapping;
    tree.file = name;
  }
  if (tree.kind != ConfigTree::Kind::mapping) {
    throw InputError({name, tree.line, {}}, "expected a mapping of keys to values");
  }
  return tree;
}

/// The files of one configuration: each is read once, however often it is extended.
class Loader {
 public:
  explicit Loader(const FindBase& find_base) : find_base_(find_base) {}

  const ConfigTree& load(const fs::path& path, const Place& asked_by) {
    std::error_code ignored;
    const fs::path canonical = fs::weakly_canonical(path, ignored);
    if (const auto loaded = loaded_.find(canonical); loaded != loaded_.end()) {
      return loaded->second;
    }
    if (!open_.insert(canonical).second) {
      throw InputError(named(asked_by, path), "the file extends itself", "take it out of the list");
    }
    if (++budget_.files > ConfigLimits::kFiles) {
      throw InputError(named(asked_by, path),
                       fmt::format("more than {} files extend one another", ConfigLimits::kFiles),
                       "put what they say into fewer files");
    }
    ConfigTree own = as_mapping(parse_yaml(text_of(path), path.string(), budget_), path.string());
    if (const ConfigTree* extends = own.find("extends")) own = extended(path, *extends, own);
    open_.erase(canonical);
    return loaded_.emplace(canonical, std::move(own)).first->second;
  }

 private:
  /// The place that asked for the file; the file itself, when nobody did.
  static Place named(const Place& asked_by, const fs::path& path) {
    return asked_by.file.empty() ? Place{path.string(), 0, "extends"} : asked_by;
  }

  static std::string text_of(const fs::path& path) {
    std::error_code ignored;
    std::ifstream stream(path, std::ios::binary);
    if (!stream || fs::is_directory(path, ignored)) {
      throw InputError({path.string(), 0, {}}, "cannot read the file",
                       "check the path; `lacuna list` shows what ships");
    }
    // As much as is there, but never more than a configuration may hold: it may be a pipe or a
    // device without an end.
    std::string text;
    constexpr std::size_t kPiece = std::size_t{1} << 16;
    while (stream && text.size() <= ConfigLimits::kFileBytes) {
      const std::size_t before = text.size();
      text.resize(before + kPiece);
      stream.read(text.data() + before, kPiece);
      text.resize(before + static_cast<std::size_t>(stream.gcount()));
    }
    if (text.size() > ConfigLimits::kFileBytes) {
      throw InputError({path.string(), 0, {}},
                       fmt::format("larger than {}, more than any configuration needs",
                                   to_text(Bytes(ConfigLimits::kFileBytes))),
                       "expected a machine, a workload, a network or an energy table in YAML");
    }
    return text;
  }

  [[nodiscard]] fs::path base_path(const fs::path& path, const ConfigTree& base) const {
    std::error_code ignored;
    fs::path beside = path.parent_path() / base.scalar;
    const bool there = fs::exists(beside, ignored) && !fs::is_directory(beside, ignored);
    if (!find_base_ || there) return beside;
    return find_base_(base.scalar, {base.file, base.line, "extends"});
  }

  ConfigTree extended(const fs::path& path, const ConfigTree& extends, const ConfigTree& own) {
    const std::vector<ConfigTree> bases =
        extends.kind == ConfigTree::Kind::sequence ? extends.items : std::vector{extends};
    ConfigTree merged;
    merged.kind = ConfigTree::Kind::mapping;
    for (const auto& base : bases) {
      const Place place{base.file, base.line, "extends"};
      if (base.kind != ConfigTree::Kind::scalar || base.scalar.empty()) {
        throw InputError(place, "expected a file name or a list of them");
      }
      merged.merge(load(base_path(path, base), place));
    }
    merged.merge(own);
    std::erase_if(merged.children, [](const auto& child) { return child.first == "extends"; });
    merged.file = own.file;
    merged.line = own.line;
    return merged;
  }

  const FindBase& find_base_;
  ConfigBudget budget_;
  std::map<fs::path, ConfigTree> loaded_;
  std::set<fs::path> open_;  // being read: the way down from the first file
};

void emit(YAML::Emitter& out, const ConfigTree& tree) {
  switch (tree.kind) {
    case ConfigTree::Kind::null:
      out << YAML::Null;
      break;
    case ConfigTree::Kind::scalar:
      out << tree.scalar;
      break;
    case ConfigTree::Kind::sequence: {
      const bool flat = std::all_of(tree.items.begin(), tree.items.end(), [](const ConfigTree& t) {
        return t.kind == ConfigTree::Kind::scalar;
      });
      if (flat) out << YAML::Flow;
      out << YAML::BeginSeq;
      for (const auto& item : tree.items) emit(out, item);
      out << YAML::EndSeq;
      break;
    }
    case ConfigTree::Kind::mapping:
      out << YAML::BeginMap;
      for (const auto& [key, value] : tree.children) {
        out << YAML::Key << key << YAML::Value;
        emit(out, value);
      }
      out << YAML::EndMap;
      break;
  }
}

constexpr const char* kSetExample = "write it like --set levels.glb.capacity=15MiB";

/// What a list's entry is known by: its scalar `name`, or of a link where it leads `to`. Null: it
/// has neither.
const std::string* name_of(const ConfigTree& item) {
  if (item.kind != ConfigTree::Kind::mapping) return nullptr;
  const ConfigTree* name = item.find("name");
  if (name == nullptr) name = item.find("to");
  return name != nullptr && name->kind == ConfigTree::Kind::scalar ? &name->scalar : nullptr;
}

/// A list of which every entry has a name: entries are known by it, not by their place.
bool is_named_list(const ConfigTree& tree) {
  return tree.kind == ConfigTree::Kind::sequence && !tree.items.empty() &&
         std::all_of(tree.items.begin(), tree.items.end(),
                     [](const ConfigTree& item) { return name_of(item) != nullptr; });
}

ConfigTree* find_named(ConfigTree& list, std::string_view name) {
  for (ConfigTree& item : list.items) {
    if (*name_of(item) == name) return &item;
  }
  return nullptr;
}

std::vector<std::string> names_of(const ConfigTree& list) {
  std::vector<std::string> names;
  for (const ConfigTree& item : list.items) names.push_back(*name_of(item));
  return names;
}

}  // namespace

ConfigTree::ConfigTree() = default;
ConfigTree::ConfigTree(const ConfigTree& other) = default;
ConfigTree::ConfigTree(ConfigTree&& other) noexcept = default;
ConfigTree& ConfigTree::operator=(const ConfigTree& other) = default;
ConfigTree& ConfigTree::operator=(ConfigTree&& other) noexcept = default;
ConfigTree::~ConfigTree() = default;

const ConfigTree* ConfigTree::find(std::string_view key) const {
  for (const auto& [name, value] : children) {
    if (name == key) return &value;
  }
  return nullptr;
}

ConfigTree& ConfigTree::at_or_add(std::string_view key) {
  kind = Kind::mapping;
  for (auto& [name, value] : children) {
    if (name == key) return value;
  }
  children.emplace_back(std::string(key), ConfigTree{});
  return children.back().second;
}

void ConfigTree::put(std::string_view key, std::string value) {
  ConfigTree& node = at_or_add(key);
  node.kind = Kind::scalar;
  node.scalar = std::move(value);
}

ConfigTree ConfigTree::load(const std::filesystem::path& path, const FindBase& find_base) {
  return Loader(find_base).load(path, {});
}

ConfigTree ConfigTree::parse(const std::string& text, const std::string& name) {
  if (text.size() > ConfigLimits::kFileBytes) {
    throw InputError({name, 0, {}}, fmt::format("larger than {}, more than any configuration needs",
                                                to_text(Bytes(ConfigLimits::kFileBytes))));
  }
  ConfigBudget budget;
  return as_mapping(parse_yaml(text, name, budget), name);
}

void ConfigTree::set(std::string_view assignment) {
  const auto equals = assignment.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    throw InputError(fmt::format("--set {}: expected key=value", shortened(assignment)),
                     kSetExample);
  }
  const std::string origin = fmt::format("{}{}", kSetOrigin, shortened(assignment));
  ConfigBudget budget;
  ConfigTree value = parse_yaml(std::string(assignment.substr(equals + 1)), origin, budget, false);
  value.file = origin;
  reach(assignment.substr(0, equals), origin) = std::move(value);
}

void ConfigTree::put_at(std::string_view path, ConfigTree value) {
  reach(path, value.file) = std::move(value);
}

ConfigTree& ConfigTree::reach(std::string_view path, const std::string& origin) {
  ConfigTree* node = this;
  std::uint64_t depth = 0;
  while (true) {
    const auto dot = path.find('.');
    if (path.substr(0, dot).empty() || ++depth > ConfigLimits::kDepth) {
      throw InputError({origin, 0, {}}, "the key is not a path of names", kSetExample);
    }
    const std::string_view key = path.substr(0, dot);
    if (is_named_list(*node)) {
      ConfigTree* const item = find_named(*node, key);
      if (item == nullptr) {
        throw InputError({origin, 0, {}}, fmt::format("no entry is named '{}'", shortened(key)),
                         suggest(std::string(key), names_of(*node)));
      }
      node = item;
    } else {
      if (node->kind != Kind::mapping) {
        *node = ConfigTree{};
        node->kind = Kind::mapping;
      }
      if (node->file.empty()) node->file = origin;
      node = &node->at_or_add(key);
    }
    if (dot == std::string_view::npos) return *node;
    path.remove_prefix(dot + 1);
  }
}

bool is_setting(const Place& place) {
  return place.file.starts_with(kSetOrigin);
}

void ConfigTree::merge(const ConfigTree& other) {
  if (is_named_list(*this) && is_named_list(other)) {
    // What is new stands before the entry that follows it in the other list. From the back, so that
    // several keep their order.
    std::string before;
    for (auto item = other.items.rbegin(); item != other.items.rend(); ++item) {
      if (ConfigTree* const own = find_named(*this, *name_of(*item)); own != nullptr) {
        own->merge(*item);
      } else {
        const ConfigTree* const next = find_named(*this, before);
        items.insert(next == nullptr ? items.end() : items.begin() + (next - items.data()), *item);
      }
      before = *name_of(*item);
    }
    return;
  }
  if (kind != Kind::mapping || other.kind != Kind::mapping) {
    *this = other;
    return;
  }
  for (const auto& [key, value] : other.children) at_or_add(key).merge(value);
}

std::string ConfigTree::to_yaml() const {
  YAML::Emitter out;
  emit(out, *this);
  return std::string(out.c_str()) + "\n";
}

}  // namespace lacuna
