// SPDX-License-Identifier: Apache-2.0
// Masks as text: one digit for each place, 0 or 1, row by row; blanks, commas and ends of lines
// between them mean nothing unless no number of columns is given: then a line is a row. Plain or
// gzip. The result is a pattern.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "sparse_formats/csr.hpp"

namespace lacuna {

/// `columns` 0: as many as the first line has. Throws InputError with file and line for another
/// character, rows of different lengths, a last row that is not whole, no places at all, and more
/// of anything than base/limits.hpp allows.
[[nodiscard]] CsrMatrix read_mask_text(const std::filesystem::path& path, std::uint64_t columns);
/// The same for a text in memory; errors name `file`.
[[nodiscard]] CsrMatrix parse_mask_text(std::string_view text, std::uint64_t columns,
                                        const std::string& file);

}  // namespace lacuna
