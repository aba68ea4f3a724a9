// SPDX-License-Identifier: Apache-2.0
// JSON of the user's: what is wrong with it is an InputError with file and line, whatever the
// parser makes of it.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/limits.hpp"

namespace lacuna {

/// Where a piece of JSON stands, and how large it may be.
struct JsonOrigin {
  const std::string& file;
  std::uint64_t first_line = 1;  // 0: the file has no lines
  std::uint64_t most_bytes = limits::kJsonBytes;
};

/// Throws InputError when the text is longer than its limit or nested deeper than kJsonDepth.
void check_json_extent(std::string_view text, const JsonOrigin& origin);

/// Says what makes the text no JSON: the line, the key before it, and the word or number at fault.
[[noreturn]] void refuse_json(std::string_view text, const JsonOrigin& origin);

/// The 1-based line of a byte, counted from `first_line`; 0 where there are no lines.
[[nodiscard]] std::uint64_t line_of_byte(std::string_view text, std::size_t byte,
                                         std::uint64_t first_line = 1);

/// Calls `on_key` for every key with the keys that lead to it ("" for an element of a list) and its
/// line. Refuses an object that has a key twice. The text must be JSON: parse it first.
using JsonPath = std::vector<std::string>;
void visit_json_keys(std::string_view text, const JsonOrigin& origin,
                     const std::function<void(const JsonPath&, std::uint64_t)>& on_key = {});

/// The value. Numbers that no double holds are refused too.
template <class Json = nlohmann::json>
[[nodiscard]] Json parse_json(std::string_view text, const JsonOrigin& origin) {
  check_json_extent(text, origin);
  Json value = Json::parse(text.begin(), text.end(), nullptr, false);
  if (value.is_discarded()) refuse_json(text, origin);
  return value;
}

}  // namespace lacuna
