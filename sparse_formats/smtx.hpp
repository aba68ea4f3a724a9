// SPDX-License-Identifier: Apache-2.0
// SMTX files of the Deep Learning Matrix Collection (Gale et al. 2020), plain or gzip: optional '%'
// lines; `rows, cols, nnz`; one line of rows + 1 row offsets; one line of nnz column indices,
// counted from 0 and strictly ascending within a row. No values: the result is a pattern
// (fill_values() gives it some). With nnz = 0 the last line is empty or absent.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "sparse_formats/csr.hpp"

namespace lacuna {

/// Throws InputError with file and line when the text is not as above: wrong counts, offsets that
/// descend or do not end at nnz, columns out of range or out of order. `progress` is called with
/// the share done, 0 to 1.
[[nodiscard]] CsrMatrix read_smtx(const std::filesystem::path& path,
                                  const std::function<void(double)>& progress = {});
/// The same for a text in memory; errors name `file`.
[[nodiscard]] CsrMatrix parse_smtx(std::string_view text, const std::string& file);

}  // namespace lacuna
