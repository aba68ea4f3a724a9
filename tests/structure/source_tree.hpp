// SPDX-License-Identifier: Apache-2.0
// The project's own files, as the structure tests read them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lacuna::test {

/// Every file of the project by its path from the root ("base/units.hpp"), sorted: what git tracks
/// or would track. Without git or outside a checkout, all files but build products.
[[nodiscard]] std::vector<std::string> project_files();

/// The file's text; empty for a binary file (one with a NUL byte).
[[nodiscard]] std::string text_of(const std::string& path);

/// .hpp or .cpp.
[[nodiscard]] bool is_cpp(std::string_view path);

/// `text` with comments blanked out, and with `keep_strings` false also what is between quotes.
/// Lines keep their numbers and their length.
[[nodiscard]] std::string code_of(std::string_view text, bool keep_strings);

/// The lines of `text`, without their ends; element i is line i + 1.
[[nodiscard]] std::vector<std::string> lines_of(const std::string& text);

}  // namespace lacuna::test
