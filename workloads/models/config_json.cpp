// SPDX-License-Identifier: Apache-2.0
#include "workloads/models/config_json.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "base/json_text.hpp"

namespace lacuna {
namespace {

using Json = nlohmann::json;

std::string shown_value(const Json& value) {
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
  mutable std::set<std::string> asked;         // paths
};

struct ConfigJson::Access {
  static const Json& object(const ConfigJson& self) {
    return *static_cast<const Json*>(self.object_);
  }
  static const Json* find(const ConfigJson& self, std::string_view key) {
    self.document_->asked.insert(path(self, key));
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
    self.fail(key, fmt::format("expected {}, got {}", expected, shown_value(value)));
  }
};

ConfigJson::ConfigJson(std::shared_ptr<const Document> document, const void* object,
                       std::string path)
    : document_(std::move(document)), object_(object), path_(std::move(path)) {}

ConfigJson ConfigJson::parse(const std::string& text, const std::string& file) {
  auto document = std::make_shared<Document>();
  document->file = file;
  const JsonOrigin origin{document->file, 1, limits::kModelConfigBytes};
  document->root = parse_json(text, origin);
  // Only keys near the root are ever asked for; the lines of the others are not kept.
  constexpr std::size_t kDepth = 4;
  visit_json_keys(text, origin, [&](const JsonPath& path, std::uint64_t line) {
    if (path.back().size() > limits::kKeyBytes) {
      throw InputError(Place{file, line, {}},
                       fmt::format("a key of {} characters", path.back().size()),
                       fmt::format("at most {} are read", limits::kKeyBytes));
    }
    if (path.size() > kDepth || std::find(path.begin(), path.end(), "") != path.end()) return;
    document->lines.emplace(fmt::format("{}", fmt::join(path, ".")), line);
  });
  if (!document->root.is_object()) {
    throw InputError(Place{file, 0, {}},
                     "expected a JSON object of keys, got " + shown_value(document->root),
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

std::vector<std::string> ConfigJson::unasked() const {
  std::vector<std::string> out;
  for (const auto& item : Access::object(*this).items()) {
    if (document_->asked.contains(Access::path(*this, item.key()))) continue;
    const Json& value = item.value();
    const bool without_effect = value.is_null() || value == false || value == 0 || value == "" ||
                                (value.is_structured() && value.empty());
    if (!without_effect) out.push_back(item.key());
  }
  return out;
}

std::string ConfigJson::shown(std::string_view key) const {
  const Json* value = Access::find(*this, key);
  return value == nullptr ? "nothing" : shown_value(*value);
}

bool ConfigJson::is_list(std::string_view key) const {
  const Json* value = Access::find(*this, key);
  return value != nullptr && value->is_array();
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
