// SPDX-License-Identifier: Apache-2.0
// A matrix from a file of any kind that is known here.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "sparse_formats/csr.hpp"

namespace lacuna {

/// Matrix Market or SMTX, plain or gzip. A %%MatrixMarket banner decides; without one the name does
/// (.mtx, .smtx, each also with .gz); without that, a first line of three counts means SMTX. Throws
/// InputError. `progress` is called with the share done, 0 to 1.
[[nodiscard]] CsrMatrix load_matrix(const std::filesystem::path& path,
                                    const std::function<void(double)>& progress = {});

/// The file's name without folder and without .gz, .mtx and .smtx: what reports call the matrix.
[[nodiscard]] std::string matrix_stem(const std::filesystem::path& path);

}  // namespace lacuna
