// SPDX-License-Identifier: Apache-2.0
#include "sparse_formats/matrix_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "base/error.hpp"
#include "base/file_reader.hpp"
#include "base/limits.hpp"
#include "base/quantity_text.hpp"
#include "sparse_formats/matrix_market.hpp"
#include "sparse_formats/smtx.hpp"
#include "sparse_formats/text_cursor.hpp"

namespace lacuna {
namespace {

namespace fs = std::filesystem;

bool has_banner(std::string_view text) {
  constexpr std::string_view banner = "%%matrixmarket";
  return text.size() >= banner.size() &&
         std::equal(banner.begin(), banner.end(), text.begin(), [](char want, char have) {
           return want == (have >= 'A' && have <= 'Z' ? static_cast<char>(have - 'A' + 'a') : have);
         });
}

/// The first line that is no comment holds digits, commas and blanks alone.
bool starts_with_counts(std::string_view text) {
  while (!text.empty() && text.front() == '%') {
    text.remove_prefix(std::min(text.size(), text.find('\n')));
    if (!text.empty()) text.remove_prefix(1);
  }
  const std::string_view line = text.substr(0, text.find('\n'));
  return !line.empty() && line.find_first_not_of("0123456789, \t\r") == std::string_view::npos;
}

/// ".mtx" for "a.mtx.gz" as well as for "a.mtx".
fs::path inner_extension(const fs::path& path) {
  return path.extension() == ".gz" ? path.stem().extension() : path.extension();
}

}  // namespace

CsrMatrix load_matrix(const fs::path& path, const std::function<void(double)>& progress) {
  // A Matrix Market file goes by in pieces; of the others, and of pipes, the whole text is held.
  FileReader reader(path, FileReader::Use::streamed);
  std::string text;
  (void)reader.read(text);
  const fs::path extension = inner_extension(path);
  const bool sized = reader.stored_bytes() != 0;
  const auto hold = [&](std::uint64_t most) {
    reader.expect_at_most(
        most, fmt::format("more than {} bytes of text are not held in memory", grouped(most)));
    while (reader.read(text)) {
    }
  };
  if (has_banner(text) || extension == ".mtx") {
    if (!sized && has_banner(text)) {
      // What has no size, a pipe, is read whole: the text bounds what its size line may ask for.
      hold(limits::kPipeBytes);
      return parse_matrix_market(text, path.string(), {.progress = progress});
    }
    TextCursor cursor(reader, std::move(text), path.string());
    return parse_matrix_market(cursor, {.progress = progress});
  }
  if (extension != ".smtx" && !starts_with_counts(text)) {
    throw InputError(Place{path.string(), 0, {}}, "is neither a Matrix Market nor an SMTX file",
                     "a Matrix Market file starts with %%MatrixMarket, an SMTX file with 'rows, "
                     "columns, nonzeros'");
  }
  // An endless device is refused by its beginning.
  if (sized || starts_with_counts(text)) hold(sized ? limits::kContentBytes : limits::kPipeBytes);
  CsrMatrix matrix = parse_smtx(text, path.string());
  if (progress) progress(1.0);
  return matrix;
}

std::string matrix_stem(const fs::path& path) {
  fs::path name = path.filename();
  if (name.extension() == ".gz") name = name.stem();
  if (name.extension() == ".mtx" || name.extension() == ".smtx") name = name.stem();
  return name.string();
}

}  // namespace lacuna
