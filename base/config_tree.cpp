// SPDX-License-Identifier: Apache-2.0
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include "base/config.hpp"

namespace lacuna {
namespace {

ConfigTree convert(const YAML::Node& node, const std::string& file) {
  ConfigTree tree;
  tree.file = file;
  tree.line = node.Mark().line < 0 ? 0 : static_cast<std::uint64_t>(node.Mark().line) + 1;
  switch (node.Type()) {
    case YAML::NodeType::Scalar:
      tree.kind = ConfigTree::Kind::scalar;
      tree.scalar = node.Scalar();
      break;
    case YAML::NodeType::Sequence:
      tree.kind = ConfigTree::Kind::sequence;
      for (const auto& item : node) tree.items.push_back(convert(item, file));
      break;
    case YAML::NodeType::Map: {
      tree.kind = ConfigTree::Kind::mapping;
      std::set<std::string> seen;
      for (const auto& entry : node) {
        const std::string key = entry.first.Scalar();
        if (!seen.insert(key).second) {
          throw InputError({file, static_cast<std::uint64_t>(entry.first.Mark().line) + 1, key},
                           "the key is given twice", "keep one of them");
        }
        tree.children.emplace_back(key, convert(entry.second, file));
      }
      break;
    }
    default:
      break;
  }
  return tree;
}

ConfigTree load_file(const std::filesystem::path& path, std::vector<std::filesystem::path>& stack) {
  std::error_code ignored;
  const auto canonical = std::filesystem::weakly_canonical(path, ignored);
  if (std::find(stack.begin(), stack.end(), canonical) != stack.end()) {
    throw InputError({path.string(), 0, "extends"}, "the file extends itself");
  }
  std::ifstream stream(path);
  if (!stream || std::filesystem::is_directory(path, ignored)) {
    throw InputError({path.string(), 0, {}}, "cannot read the file",
                     "check the path; `lacuna list` shows what ships");
  }
  std::stringstream text;
  text << stream.rdbuf();
  ConfigTree own = ConfigTree::parse(text.str(), path.string());

  const ConfigTree* extends = own.find("extends");
  if (extends == nullptr) return own;
  std::vector<ConfigTree> bases =
      extends->kind == ConfigTree::Kind::sequence ? extends->items : std::vector{*extends};
  stack.push_back(canonical);
  ConfigTree merged;
  merged.kind = ConfigTree::Kind::mapping;
  for (const auto& base : bases) {
    if (base.kind != ConfigTree::Kind::scalar) {
      throw InputError({base.file, base.line, "extends"}, "expected a file name or a list of them");
    }
    merged.merge(load_file(path.parent_path() / base.scalar, stack));
  }
  stack.pop_back();
  std::erase_if(own.children, [](const auto& child) { return child.first == "extends"; });
  merged.merge(own);
  merged.file = own.file;
  merged.line = own.line;
  return merged;
}

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

ConfigTree ConfigTree::load(const std::filesystem::path& path) {
  std::vector<std::filesystem::path> stack;
  return load_file(path, stack);
}

ConfigTree ConfigTree::parse(const std::string& text, const std::string& name) {
  try {
    ConfigTree tree = convert(YAML::Load(text), name);
    if (tree.kind == Kind::null) {
      tree.kind = Kind::mapping;
      tree.file = name;
    }
    if (tree.kind != Kind::mapping) {
      throw InputError({name, tree.line, {}}, "expected a mapping of keys to values");
    }
    return tree;
  } catch (const YAML::Exception& error) {
    throw InputError({name, static_cast<std::uint64_t>(error.mark.line + 1), {}},
                     "not valid YAML: " + error.msg);
  }
}

void ConfigTree::set(std::string_view assignment) {
  const auto equals = assignment.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    throw InputError(fmt::format("--set {}: expected key=value", assignment),
                     "write it like --set buffers.llb.capacity=15MiB");
  }
  std::string_view path = assignment.substr(0, equals);
  const std::string origin = fmt::format("--set {}", assignment);
  ConfigTree* node = this;
  while (true) {
    const auto dot = path.find('.');
    node = &node->at_or_add(path.substr(0, dot));
    if (dot == std::string_view::npos) break;
    path.remove_prefix(dot + 1);
    if (node->kind != Kind::mapping) *node = ConfigTree{};
    if (node->file.empty()) node->file = origin;
  }
  try {
    *node = convert(YAML::Load(std::string(assignment.substr(equals + 1))), origin);
    node->line = 0;
  } catch (const YAML::Exception& error) {
    throw InputError({origin, 0, {}}, "the value is not valid YAML: " + error.msg);
  }
}

void ConfigTree::merge(const ConfigTree& other) {
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
