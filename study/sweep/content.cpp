// SPDX-License-Identifier: Apache-2.0
#include "study/sweep/content.hpp"

#include <map>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/shipped_files.hpp"

namespace lacuna {
namespace {

namespace fs = std::filesystem;

/// Hashes of files, each read once.
const std::string& hash_of_file(const fs::path& file) {
  static std::map<std::string, std::string> known;
  auto& hash = known[file.string()];
  if (hash.empty()) hash = sha256_of(file);
  return hash;
}

/// The files that values name, and those that these files name in turn.
class Inputs {
 public:
  /// As it is, or from or between the signs that stand around a file's name in a value.
  void add(const std::string& value, const fs::path& beside) {
    for (std::size_t begin = 0; begin < value.size();) {
      const std::size_t end = std::min(value.find_first_of(":#=,", begin), value.size());
      add_file(beside / value.substr(begin, end - begin));
      if (end < value.size()) add_file(beside / value.substr(begin));
      begin = end + 1;
    }
  }

  void add(const ConfigTree& tree, const fs::path& beside = {}) {
    if (tree.kind == ConfigTree::Kind::scalar) add(tree.scalar, beside);
    for (const ConfigTree& item : tree.items) add(item, beside);
    for (const auto& [key, child] : tree.children) add(child, beside);
  }

  /// Also folders, which only a workload names (a model's, a pruned network's).
  void add_workload(const ConfigTree& tree) {
    folders_ = true;
    add(tree);
    folders_ = false;
  }

  [[nodiscard]] std::string text() const {
    std::string out;
    for (const auto& [file, hash] : files_) out += file + ' ' + hash + '\n';
    return out;
  }

 private:
  void add_file(const fs::path& file) {
    std::error_code ignored;
    if (fs::is_regular_file(file, ignored)) {
      if (!files_.emplace(file.string(), hash_of_file(file)).second) return;
      if (file.extension() == ".yaml") add_named_in(file);
    } else if (folders_ && file.has_filename() && fs::is_directory(file, ignored)) {
      for (const auto& entry : fs::recursive_directory_iterator(file, ignored)) {
        if (entry.is_regular_file(ignored)) {
          files_.emplace(entry.path().string(), hash_of_file(entry.path()));
        }
      }
    }
  }

  void add_named_in(const fs::path& file) {
    try {
      add(ConfigTree::parse(read_file(file), file.string()), file.parent_path());
    } catch (const InputError&) {  // whoever reads it in earnest says what is wrong with it
    }
  }

  bool folders_ = false;
  std::map<std::string, std::string> files_;
};

/// Prices, timing tables, models and layers that a configuration names without a path.
std::string hash_of_shipped() {
  Inputs shipped;
  std::map<std::string, std::string> hashes;
  for (const fs::path& configs : config_folders()) {
    for (const char* kind : {"energy", "memory", "models", "networks", "workloads"}) {
      std::error_code ignored;
      for (const auto& entry : fs::recursive_directory_iterator(configs / kind, ignored)) {
        if (entry.is_regular_file(ignored)) {
          hashes[entry.path().lexically_relative(configs).string()] = hash_of_file(entry.path());
        }
      }
    }
  }
  std::string text;
  for (const auto& [file, hash] : hashes) text += file + ' ' + hash + '\n';
  return sha256_of_text(text);
}

}  // namespace

const std::string& content_of_program() {
  static const std::string hash = sha256_of("/proc/self/exe") + '\n' + hash_of_shipped();
  return hash;
}

std::string content_of(const RunPlan& plan) {
  const ConfigTree resolved = resolved_run(plan, 0);
  Inputs inputs;
  for (const auto& [key, child] : resolved.children) {
    if (key == "workload") {
      inputs.add_workload(child);
    } else {
      inputs.add(child);
    }
  }
  return sha256_of_text(content_of_program() + '\n' + resolved.to_yaml() + inputs.text());
}

}  // namespace lacuna
