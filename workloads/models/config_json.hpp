// SPDX-License-Identifier: Apache-2.0
// A JSON object that answers by key and type and blames by file, line and key. Keys nobody asks
// for are legal here: published configurations carry dozens without effect on shapes.
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
  [[nodiscard]] std::vector<std::string> keys() const;

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
