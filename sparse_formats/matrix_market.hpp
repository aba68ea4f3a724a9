// SPDX-License-Identifier: Apache-2.0
// Matrix Market files (math.nist.gov/MatrixMarket/formats.html), plain or gzip.
//
// Read: coordinate and array; real, integer and pattern; general, symmetric and skew-symmetric,
// expanded to all nonzeros. complex and hermitian are refused. The rules where the format is open:
//   duplicates      coordinate entries of the same place are summed (merged in a pattern)
//   stored zeros    stay in a coordinate matrix, since they occupy storage and move, unless
//                   `drop_zeros`; the zeros of an array are not nonzeros and are left out
//   comments        '%' lines and blank lines may stand anywhere after the banner
//   symmetry        the lower triangle alone is legal, strict for skew-symmetric; square only
//   numbers         decimal, finite; integers of at most 2^53 in magnitude
// Rows and columns may not exceed 2^24 + 64 * (bytes of text), nor 2^28: a size line alone never
// makes the reader take much memory. Entries: at most 2^30. A line: at most 16 MiB. The text is
// read as it is parsed and never held whole.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "sparse_formats/csr.hpp"

namespace lacuna {

class TextCursor;

struct MatrixMarketOptions {
  /// Leave stored zeros out, after duplicates are summed.
  bool drop_zeros = false;
  /// Called with the share done, 0 to 1, over reading and parsing.
  std::function<void(double)> progress;
};

/// Throws InputError with file and line for everything that is not as above.
[[nodiscard]] CsrMatrix read_matrix_market(const std::filesystem::path& path,
                                           const MatrixMarketOptions& options = {});
/// The same from where a text begins.
[[nodiscard]] CsrMatrix parse_matrix_market(TextCursor& cursor,
                                            const MatrixMarketOptions& options = {});
/// The same for a text in memory; errors name `file`.
[[nodiscard]] CsrMatrix parse_matrix_market(std::string_view text, const std::string& file,
                                            const MatrixMarketOptions& options = {});

/// `coordinate real general`, or `pattern` for a matrix without values; values are written with as
/// many digits as it takes to read the same double back.
[[nodiscard]] std::string to_matrix_market(const CsrMatrix& matrix);
/// As to_matrix_market(), compressed when the name ends in .gz. Throws InputError as write_file().
void write_matrix_market(const std::filesystem::path& path, const CsrMatrix& matrix);

}  // namespace lacuna
