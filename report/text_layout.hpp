// SPDX-License-Identifier: Apache-2.0
// UTF-8 text in columns. Names come from files, so they may hold anything: what is shown is made
// clean first, and widths are those of a terminal (a wide character takes two columns).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace lacuna::report {

/// Valid UTF-8 on one line: control characters (escape sequences, line breaks, direction marks)
/// become spaces, broken bytes U+FFFD.
[[nodiscard]] std::string clean(std::string_view text);

/// Terminal columns that clean text takes.
[[nodiscard]] std::size_t display_width(std::string_view text);

[[nodiscard]] std::string pad_left(std::string_view text, std::size_t width);
[[nodiscard]] std::string pad_right(std::string_view text, std::size_t width);

/// At most `width` columns; what is cut is replaced by an ellipsis.
[[nodiscard]] std::string shorten(std::string_view text, std::size_t width);

/// Lines of at most `width` (at least 1) columns, broken at spaces, or inside a word that is longer
/// (there preferably after one of - _ / . , :). At least one line.
[[nodiscard]] std::vector<std::string> wrap(std::string_view text, std::size_t width);

}  // namespace lacuna::report
