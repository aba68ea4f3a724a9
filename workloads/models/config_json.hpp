// SPDX-License-Identifier: Apache-2.0
// A JSON object that answers by key and type and blames by file, line and key. Published
// configurations carry dozens of keys without effect on shapes, so keys that nobody asks for are
// legal here; unasked() lists them for whoever knows which ones matter.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace lacuna {

class ConfigJson {
 public:
  /// The root must be an object; a key may be given once. Throws InputError with the line.
  static ConfigJson parse(const std::string& text, const std::string& file);

  /// Present, whatever its value.
  [[nodiscard]] bool has(std::string_view key) const;
  /// Present and not null.
  [[nodiscard]] bool given(std::string_view key) const;
  [[nodiscard]] bool is_object(std::string_view key) const;
  [[nodiscard]] bool is_list(std::string_view key) const;
  [[nodiscard]] std::vector<std::string> keys() const;
  /// Keys that no getter was asked for and whose value is not null, false, zero or empty.
  [[nodiscard]] std::vector<std::string> unasked() const;
  /// The value as JSON, shortened: for messages.
  [[nodiscard]] std::string shown(std::string_view key) const;

  /// A whole number in [low, high]; 7168.0 counts. Without a default the key is required; null is
  /// the default when there is one.
  [[nodiscard]] std::uint64_t integer(std::string_view key, std::uint64_t low, std::uint64_t high,
                                      std::optional<std::uint64_t> def = {}) const;
  [[nodiscard]] double number(std::string_view key, double def) const;
  [[nodiscard]] bool boolean(std::string_view key, bool def) const;
  [[nodiscard]] std::string text(std::string_view key, std::optional<std::string> def = {}) const;
  [[nodiscard]] std::vector<std::uint64_t> integers(std::string_view key) const;
  [[nodiscard]] std::vector<std::string> texts(std::string_view key) const;
  /// Must be present and an object.
  [[nodiscard]] ConfigJson object(std::string_view key) const;

  [[nodiscard]] Place place(std::string_view key) const;
  [[noreturn]] void fail(std::string_view key, const std::string& problem,
                         const std::string& suggestion = {}) const;

 private:
  struct Document;
  struct Access;
  ConfigJson(std::shared_ptr<const Document> document, const void* object, std::string path);
  std::shared_ptr<const Document> document_;
  const void* object_;
  std::string path_;
};

}  // namespace lacuna
