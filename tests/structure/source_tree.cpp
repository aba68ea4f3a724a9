// SPDX-License-Identifier: Apache-2.0
#include "tests/structure/source_tree.hpp"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>

#include "tests/catch.hpp"

namespace lacuna::test {
namespace {

namespace fs = std::filesystem;

fs::path root() {
  return source_dir();
}

std::string quoted_for_shell(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

/// Empty when git is not there or this is no checkout.
std::vector<std::string> files_of_git() {
  // A hook's environment and a checkout that belongs to another user must not change the answer.
  const std::string command =
      "env -u GIT_DIR -u GIT_WORK_TREE -u GIT_INDEX_FILE git -c safe.directory='*' -C " +
      quoted_for_shell(root().string()) +
      " ls-files -z --cached --others --exclude-standard 2>/dev/null";
  struct Close {
    void operator()(FILE* pipe) const { (void)pclose(pipe); }
  };
  const std::unique_ptr<FILE, Close> pipe(popen(command.c_str(), "r"));
  std::vector<std::string> files;
  if (!pipe) return files;
  std::string name;
  for (int c = std::fgetc(pipe.get()); c != EOF; c = std::fgetc(pipe.get())) {
    if (c != '\0') {
      name += static_cast<char>(c);
      continue;
    }
    // A tracked file may have been removed and not yet been committed.
    if (fs::is_regular_file(root() / name)) files.push_back(name);
    name.clear();
  }
  return files;
}

std::vector<std::string> files_of_walk() {
  std::vector<std::string> files;
  for (auto at = fs::recursive_directory_iterator(root()); at != fs::end(at); ++at) {
    const std::string name = at->path().filename().string();
    const bool products = name == "build" || name == "out" || name == "results";
    if (at->is_directory() && (products || (name.starts_with('.') && name != ".ci"))) {
      at.disable_recursion_pending();
    } else if (at->is_regular_file()) {
      files.push_back(at->path().lexically_relative(root()).generic_string());
    }
  }
  return files;
}

/// Where the literal or comment that starts at `at` ends (one past it); `at` itself when none does.
std::size_t end_of_comment(std::string_view text, std::size_t at) {
  if (text.substr(at, 2) == "//") return std::min(text.find('\n', at), text.size());
  if (text.substr(at, 2) != "/*") return at;
  const auto end = text.find("*/", at + 2);
  return end == std::string_view::npos ? text.size() : end + 2;
}

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

std::size_t end_of_literal(std::string_view text, std::size_t at) {
  const char quote = text[at];
  const char before = at == 0 ? ' ' : text[at - 1];
  if (quote == '"' && before == 'R') {
    const auto open = text.find('(', at);
    if (open == std::string_view::npos) return text.size();
    const std::string close = ")" + std::string(text.substr(at + 1, open - at - 1)) + "\"";
    const auto end = text.find(close, open);
    return end == std::string_view::npos ? text.size() : end + close.size();
  }
  // 1'000 holds no character literal.
  if (quote != '"' && (quote != '\'' || is_word(before))) return at;
  std::size_t end = at + 1;
  while (end < text.size() && text[end] != quote && text[end] != '\n') {
    end += text[end] == '\\' ? std::size_t{2} : 1;
  }
  return std::min(end + 1, text.size());
}

}  // namespace

std::vector<std::string> project_files() {
  std::vector<std::string> files = files_of_git();
  if (files.empty()) files = files_of_walk();
  std::sort(files.begin(), files.end());
  files.erase(std::unique(files.begin(), files.end()), files.end());
  return files;
}

std::string text_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(root() / path, std::ios::binary).rdbuf();
  return text.str().find('\0') == std::string::npos ? text.str() : std::string();
}

bool is_cpp(std::string_view path) {
  return path.ends_with(".hpp") || path.ends_with(".cpp");
}

std::string code_of(std::string_view text, bool keep_strings) {
  std::string code(text);
  const auto blank = [&code](std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i) {
      if (code[i] != '\n') code[i] = ' ';
    }
  };
  for (std::size_t at = 0; at < text.size();) {
    if (const std::size_t end = end_of_comment(text, at); end != at) {
      blank(at, end);
      at = end;
    } else if (const std::size_t close = end_of_literal(text, at); close != at) {
      if (!keep_strings) blank(at, close);
      at = close;
    } else {
      ++at;
    }
  }
  return code;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

}  // namespace lacuna::test
