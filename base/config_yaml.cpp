// SPDX-License-Identifier: Apache-2.0
#include "base/config_yaml.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "base/quantity_text.hpp"

namespace lacuna {
namespace {

std::uint64_t line_at(const YAML::Mark& mark, bool lines) {
  return mark.line < 0 || !lines ? 0 : static_cast<std::uint64_t>(mark.line) + 1;
}

/// What a value takes of the limits.
struct Size {
  std::uint64_t values = 1;
  std::uint64_t text_bytes = 0;
  std::uint64_t depth = 1;
};

Size size_of(const ConfigTree& tree) {
  Size size{1, tree.scalar.size() + tree.file.size(), 1};
  const auto add = [&size](const ConfigTree& child) {
    const Size inner = size_of(child);
    size.values += inner.values;
    size.text_bytes += inner.text_bytes;
    size.depth = std::max(size.depth, inner.depth + 1);
  };
  for (const ConfigTree& item : tree.items) add(item);
  for (const auto& [key, value] : tree.children) {
    size.text_bytes += key.size();
    add(value);
  }
  return size;
}

/// Builds the tree from the parser's events. The parser itself keeps no tree, so what is not taken
/// here is never in memory.
class Builder : public YAML::EventHandler {
 public:
  Builder(const std::string& file, ConfigBudget& budget, bool lines)
      : file_(file), budget_(budget), lines_(lines) {}

  [[nodiscard]] ConfigTree take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0) {
      fail(line_of(mark), "a second document begins here", "a configuration is one document");
    }
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    deliver(value(mark, ConfigTree::Kind::null), anchor);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    (void)tag;
    ConfigTree scalar = value(mark, ConfigTree::Kind::scalar);
    take_text(text.size(), scalar.line);
    scalar.scalar = text;
    deliver(std::move(scalar), anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const std::uint64_t line = line_of(mark);
    const auto found = anchored_.find(anchor);
    if (found == anchored_.end()) {
      fail(line, "an alias stands inside the value that it stands for",
           "a value cannot hold itself: write the inner one out");
    }
    const Size size = size_of(found->second);
    if (open_.size() + size.depth > ConfigLimits::kDepth) too_deep(line);
    take(size, line);
    deliver(found->second, 0);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    (void)tag, (void)style;
    open(mark, ConfigTree::Kind::sequence, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    (void)tag, (void)style;
    open(mark, ConfigTree::Kind::mapping, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  /// A list or a mapping that is being filled.
  struct Open {
    ConfigTree tree;
    YAML::anchor_t anchor = 0;
    std::optional<std::string> key{};  // of a mapping: its value comes next
    std::set<std::string> seen{};
  };

  [[nodiscard]] std::uint64_t line_of(const YAML::Mark& mark) const {
    return line_at(mark, lines_);
  }
  [[noreturn]] void fail(std::uint64_t line, const std::string& problem,
                         const std::string& suggestion) const {
    throw InputError({file_, line, {}}, problem, suggestion);
  }
  [[noreturn]] void too_deep(std::uint64_t line) const {
    fail(line, fmt::format("values are nested more than {} deep", ConfigLimits::kDepth),
         "no configuration needs that");
  }

  void take(const Size& size, std::uint64_t line) {
    if (size.values > ConfigLimits::kValues - budget_.values) {
      fail(line,
           fmt::format("a configuration of more than {} values, aliases written out",
                       grouped(ConfigLimits::kValues)),
           "no machine, workload or table needs that many");
    }
    budget_.values += size.values;
    take_text(size.text_bytes, line);
  }
  void take_text(std::uint64_t bytes, std::uint64_t line) {
    if (bytes > ConfigLimits::kTextBytes - budget_.text_bytes) {
      fail(line,
           fmt::format("a configuration of more than {} of text, aliases written out",
                       to_text(Bytes(ConfigLimits::kTextBytes))),
           "no machine, workload or table needs that much");
    }
    budget_.text_bytes += bytes;
  }

  [[nodiscard]] ConfigTree value(const YAML::Mark& mark, ConfigTree::Kind kind) {
    const std::uint64_t line = line_of(mark);
    if (open_.size() >= ConfigLimits::kDepth) too_deep(line);
    take({1, file_.size(), 1}, line);
    ConfigTree tree;
    tree.kind = kind;
    tree.file = file_;
    tree.line = line;
    return tree;
  }

  void open(const YAML::Mark& mark, ConfigTree::Kind kind, YAML::anchor_t anchor) {
    open_.push_back({value(mark, kind), anchor});
  }
  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    deliver(std::move(done.tree), done.anchor);
  }

  /// A complete value to where it belongs.
  void deliver(ConfigTree tree, YAML::anchor_t anchor) {
    if (anchor != 0) {
      take(size_of(tree), tree.line);
      anchored_[anchor] = tree;
    }
    if (open_.empty()) {
      root_ = std::move(tree);
      return;
    }
    Open& parent = open_.back();
    if (parent.tree.kind == ConfigTree::Kind::sequence) {
      parent.tree.items.push_back(std::move(tree));
    } else if (!parent.key) {
      take_key(parent, tree);
    } else {
      parent.tree.children.emplace_back(std::move(*parent.key), std::move(tree));
      parent.key.reset();
    }
  }

  void take_key(Open& parent, const ConfigTree& key) const {
    const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20; };
    if (key.kind != ConfigTree::Kind::scalar || key.scalar.empty() ||
        std::any_of(key.scalar.begin(), key.scalar.end(), control)) {
      fail(key.line, "a key must be plain text", "write it like name: value");
    }
    if (!parent.seen.insert(key.scalar).second) {
      throw InputError({file_, key.line, key.scalar}, "the key is given twice", "keep one of them");
    }
    if (parent.seen.size() > ConfigLimits::kKeys) {
      fail(key.line, fmt::format("a mapping of more than {} keys", grouped(ConfigLimits::kKeys)),
           "no configuration needs that many in one place");
    }
    parent.key = key.scalar;
  }

  const std::string& file_;
  ConfigBudget& budget_;
  bool lines_;
  ConfigTree root_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, ConfigTree> anchored_;
  std::uint64_t documents_ = 0;
};

/// What must not reach the parser. It takes some control characters for an end or a space, and none
/// belongs into a text. And before it says that the first bracket is open, it looks at all that
/// follow: time and memory grow with the square of their number. Brackets in texts and comments
/// count here too, so the limit is far above what is nested.
void check_text(const std::string& text, const std::string& file, bool lines) {
  constexpr std::uint64_t kMostOpen = 10'000;
  std::uint64_t line = lines ? 1 : 0;
  std::uint64_t open = 0;
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '\n' && lines) ++line;
    if (c == '[' || c == '{') ++open;
    if ((c == ']' || c == '}') && open > 0) --open;
    if (open > kMostOpen) {
      throw InputError({file, line, {}},
                       fmt::format("values are nested more than {} deep", ConfigLimits::kDepth),
                       fmt::format("{} brackets are open here", grouped(open)));
    }
    if (code >= 0x20 || c == '\n' || c == '\t' || c == '\r') continue;
    throw InputError({file, line, {}},
                     fmt::format("not plain text: a control character (code {})", code),
                     "expected YAML in UTF-8");
  }
}

}  // namespace

ConfigTree parse_yaml(const std::string& text, const std::string& file, ConfigBudget& budget,
                      bool lines) {
  check_text(text, file, lines);
  std::istringstream stream(text);
  Builder builder(file, budget, lines);
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& error) {
    throw InputError({file, line_at(error.mark, lines), {}}, "not valid YAML: " + error.msg);
  }
  return builder.take();
}

}  // namespace lacuna
