// SPDX-License-Identifier: Apache-2.0
#include "workloads/models/config_json.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>

namespace lacuna {
namespace {

using Json = nlohmann::json;

/// Characters that count the lines they leave behind, so that every key knows its own.
struct CountingIterator {
  using iterator_category = std::forward_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  const char* at;
  std::uint64_t* line;

  reference operator*() const { return *at; }
  CountingIterator& operator++() {
    if (*at == '\n') ++*line;
    ++at;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const CountingIterator& other) const { return at == other.at; }
  bool operator!=(const CountingIterator& other) const { return at != other.at; }
};

std::uint64_t line_of_byte(const std::string& text, std::size_t byte) {
  const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(byte, text.size()));
  return 1 + static_cast<std::uint64_t>(std::count(text.begin(), end, '\n'));
}

std::string shown(const Json& value) {
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > 40) text = text.substr(0, 37) + "...";
  return text;
}

std::optional<std::uint64_t> as_integer(const Json& value) {
  if (value.is_number_unsigned()) return value.get<std::uint64_t>();
  if (value.is_number_float()) {
    const double number = value.get<double>();
    if (number >= 0 && number <= 9007199254740992.0 && number == std::floor(number)) {
      return static_cast<std::uint64_t>(number);
    }
  }
  return std::nullopt;
}

}  // namespace

struct ConfigJson::Document {
  Json root;
  std::string file;
  std::map<std::string, std::uint64_t> lines;  // by path of keys
};

struct ConfigJson::Access {
  static const Json& object(const ConfigJson& self) {
    return *static_cast<const Json*>(self.object_);
  }
  static const Json* find(const ConfigJson& self, std::string_view key) {
    const Json& json = object(self);
    const auto it = json.find(std::string(key));
    return it == json.end() ? nullptr : &*it;
  }
  static std::string path(const ConfigJson& self, std::string_view key) {
    if (self.path_.empty()) return std::string(key);
    return key.empty() ? self.path_ : self.path_ + "." + std::string(key);
  }
  static const Json& require(const ConfigJson& self, std::string_view key, const char* expected) {
    const Json* value = find(self, key);
    if (value != nullptr) return *value;
    const std::string near = nearest(key, self.keys());
    throw InputError(self.place({}),
                     fmt::format("'{}' is required: expected {}", path(self, key), expected),
                     near.empty() ? std::string() : fmt::format("is '{}' meant?", near));
  }
  [[noreturn]] static void wrong_type(const ConfigJson& self, std::string_view key,
                                      const Json& value, const std::string& expected) {
    self.fail(key, fmt::format("expected {}, got {}", expected, shown(value)));
  }
};

ConfigJson::ConfigJson(std::shared_ptr<const Document> document, const void* object,
                       std::string path)
    : document_(std::move(document)), object_(object), path_(std::move(path)) {}

ConfigJson ConfigJson::parse(const std::string& text, const std::string& file) {
  auto document = std::make_shared<Document>();
  document->file = file;
  std::uint64_t line = 1;
  std::vector<std::string> open;  // the key under way at each depth
  const auto on_event = [&](int depth, Json::parse_event_t event, Json& value) {
    if (event != Json::parse_event_t::key) return true;
    open.resize(static_cast<std::size_t>(depth));
    if (open.empty()) return true;
    open.back() = value.get<std::string>();
    // Objects inside arrays share a path; only plain paths of keys are told apart.
    const std::string path = fmt::format("{}", fmt::join(open, "."));
    const auto [at, fresh] = document->lines.emplace(path, line);
    if (!fresh && path.find("..") == std::string::npos && path.front() != '.') {
      throw InputError(Place{file, line, path},
                       fmt::format("given twice, first on line {}", at->second));
    }
    return true;
  };
  try {
    document->root = Json::parse(CountingIterator{text.data(), &line},
                                 CountingIterator{text.data() + text.size(), &line}, on_event);
  } catch (const Json::parse_error& error) {
    std::string what = error.what();
    if (const auto at = what.find(": syntax error"); at != std::string::npos) {
      what = what.substr(at + 2);
    }
    throw InputError(Place{file, line_of_byte(text, error.byte == 0 ? 0 : error.byte - 1), {}},
                     "not valid JSON: " + what);
  } catch (const Json::exception& error) {
    throw InputError(Place{file, line, {}}, std::string("not valid JSON: ") + error.what());
  }
  if (!document->root.is_object()) {
    throw InputError(Place{file, 0, {}},
                     "expected a JSON object of keys, got " + shown(document->root),
                     "is this a model's config.json?");
  }
  const Json* root = &document->root;
  return {std::move(document), root, {}};
}

bool ConfigJson::has(std::string_view key) const {
  return Access::find(*this, key) != nullptr;
}

bool ConfigJson::given(std::string_view key) const {
  const Json* value = Access::find(*this, key);
  return value != nullptr && !value->is_null();
}

bool ConfigJson::is_object(std::string_view key) const {
  const Json* value = Access::find(*this, key);
  return value != nullptr && value->is_object();
}

std::vector<std::string> ConfigJson::keys() const {
  std::vector<std::string> out;
  for (const auto& item : Access::object(*this).items()) out.push_back(item.key());
  return out;
}

std::uint64_t ConfigJson::integer(std::string_view key, std::uint64_t low, std::uint64_t high,
                                  std::optional<std::uint64_t> def) const {
  if (def && !given(key)) return *def;
  const std::string expected = fmt::format("a whole number from {} to {}", low, high);
  const Json& value = Access::require(*this, key, expected.c_str());
  const auto number = as_integer(value);
  if (!number || *number < low || *number > high) Access::wrong_type(*this, key, value, expected);
  return *number;
}

double ConfigJson::number(std::string_view key, double def) const {
  if (!given(key)) return def;
  const Json& value = *Access::find(*this, key);
  if (!value.is_number()) Access::wrong_type(*this, key, value, "a number");
  return value.get<double>();
}

bool ConfigJson::boolean(std::string_view key, bool def) const {
  if (!given(key)) return def;
  const Json& value = *Access::find(*this, key);
  if (!value.is_boolean()) Access::wrong_type(*this, key, value, "true or false");
  return value.get<bool>();
}

std::string ConfigJson::text(std::string_view key, std::optional<std::string> def) const {
  if (def && !given(key)) return *def;
  const Json& value = Access::require(*this, key, "a text");
  if (!value.is_string()) Access::wrong_type(*this, key, value, "a text");
  return value.get<std::string>();
}

std::vector<std::uint64_t> ConfigJson::integers(std::string_view key) const {
  std::vector<std::uint64_t> out;
  if (!given(key)) return out;
  const Json& value = *Access::find(*this, key);
  if (!value.is_array()) Access::wrong_type(*this, key, value, "a list of whole numbers");
  for (const Json& item : value) {
    const auto number = as_integer(item);
    if (!number) Access::wrong_type(*this, key, item, "a list of whole numbers");
    out.push_back(*number);
  }
  return out;
}

std::vector<std::string> ConfigJson::texts(std::string_view key) const {
  std::vector<std::string> out;
  if (!given(key)) return out;
  const Json& value = *Access::find(*this, key);
  if (!value.is_array()) Access::wrong_type(*this, key, value, "a list of texts");
  for (const Json& item : value) {
    if (!item.is_string()) Access::wrong_type(*this, key, item, "a list of texts");
    out.push_back(item.get<std::string>());
  }
  return out;
}

ConfigJson ConfigJson::object(std::string_view key) const {
  const Json& value = Access::require(*this, key, "an object");
  if (!value.is_object()) Access::wrong_type(*this, key, value, "an object");
  return {document_, &value, Access::path(*this, key)};
}

Place ConfigJson::place(std::string_view key) const {
  std::string path = Access::path(*this, key);
  const auto at = document_->lines.find(path);
  return {document_->file, at == document_->lines.end() ? 0 : at->second, std::move(path)};
}

void ConfigJson::fail(std::string_view key, const std::string& problem,
                      const std::string& suggestion) const {
  throw InputError(place(key), problem, suggestion);
}

}  // namespace lacuna
