// SPDX-License-Identifier: Apache-2.0
// Tensors as FROSTT keeps them (frostt.io): a line for each nonzero, its coordinates, counted from
// one, and its value; plain or gzip. The first line says how many ranks there are, 2 to 8; lines
// that start with '#' or '%' are comments. An extent is the largest coordinate of its rank. Stored
// zeros stay, entries of one place are summed where they become a matrix.
// Coordinates may not exceed 2^28, entries 2^30; the text is read as it is parsed.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "sparse_formats/sparse_tensor.hpp"

namespace lacuna {

/// Throws InputError with file and line for everything that is not as above.
[[nodiscard]] SparseTensor read_tns(const std::filesystem::path& path,
                                    const std::function<void(double)>& progress = {});
/// The same for a text in memory; errors name `file`.
[[nodiscard]] SparseTensor parse_tns(std::string_view text, const std::string& file);

/// Whether the name ends in .tns or .tns.gz.
[[nodiscard]] bool is_tns(const std::filesystem::path& path);

}  // namespace lacuna
