// SPDX-License-Identifier: Apache-2.0
#include "sparse_formats/smtx.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "base/file.hpp"
#include "sparse_formats/text_cursor.hpp"

namespace lacuna {
namespace {

struct Header {
  std::uint64_t rows;
  std::uint64_t cols;
  std::uint64_t nnz;
};

/// The counts are separated by commas, blanks or both, so the line is read by itself.
Header read_header(TextCursor& cursor) {
  if (!cursor.next_line()) cursor.fail("the first line 'rows, columns, nonzeros' is missing");
  std::string line;
  constexpr std::size_t most = 1024;  // three counts and what separates them
  while (!cursor.line_ended() && line.size() < most) line += std::string(cursor.word()) + " ";
  std::replace(line.begin(), line.end(), ',', ' ');
  TextCursor fields(line, {});
  std::array<std::uint64_t, 3> counts{};
  for (std::uint64_t& count : counts) {
    const std::string text(fields.word());
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc{} || end != text.data() + text.size()) {
      cursor.fail(text.empty() ? "the first line holds fewer than three counts"
                               : fmt::format("{} is not a count", shown(text)),
                  "expected 'rows, columns, nonzeros'");
    }
  }
  if (!fields.line_ended()) {
    cursor.fail(fmt::format("unexpected {} after the three counts", shown(fields.word())));
  }
  return {counts[0], counts[1], counts[2]};
}

void check_header(const TextCursor& cursor, const Header& header) {
  (void)checked_extent(cursor, "number of rows", header.rows);
  (void)checked_extent(cursor, "number of columns", header.cols);
  check_entries(cursor, header.nnz);
  // Each offset and each index takes at least a digit and a separator.
  const std::uint64_t numbers = cursor.remaining() / 2 + 1;
  if (header.rows + 1 > numbers || header.nnz > numbers) {
    cursor.fail(fmt::format("{} rows and {} nonzeros do not fit in the {} bytes that follow",
                            header.rows, header.nnz, cursor.remaining()),
                "the file is cut short, or its first line is wrong");
  }
}

std::vector<std::uint64_t> read_offsets(TextCursor& cursor, const Header& header) {
  if (!cursor.next_line()) cursor.fail("the line of row offsets is missing");
  std::vector<std::uint64_t> offsets;
  offsets.reserve(header.rows + 1);
  while (!cursor.line_ended()) {
    if (offsets.size() == header.rows + 1) {
      cursor.fail(
          fmt::format("more than {} row offsets for {} rows", header.rows + 1, header.rows));
    }
    const std::uint64_t offset = cursor.unsigned_integer("row offset");
    const std::uint64_t before = offsets.empty() ? 0 : offsets.back();
    if (offsets.empty() && offset != 0) {
      cursor.fail(fmt::format("the first row offset is {}, expected 0", offset));
    }
    if (offset < before || offset > header.nnz) {
      cursor.fail(fmt::format("row offset {} is {}", offset,
                              offset < before ? fmt::format("below {} before it", before)
                                              : fmt::format("above the {} nonzeros", header.nnz)));
    }
    offsets.push_back(offset);
  }
  if (offsets.size() != header.rows + 1) {
    cursor.fail(fmt::format("{} row offsets for {} rows, expected {}", offsets.size(), header.rows,
                            header.rows + 1));
  }
  if (offsets.back() != header.nnz) {
    cursor.fail(fmt::format("the last row offset is {}, expected the {} nonzeros", offsets.back(),
                            header.nnz));
  }
  return offsets;
}

void read_columns(TextCursor& cursor, const Header& header, CsrMatrix& matrix) {
  matrix.columns.reserve(header.nnz);
  if (header.nnz > 0 && !cursor.next_line()) cursor.fail("the line of column indices is missing");
  for (Coordinate row = 0; row < matrix.rows; ++row) {
    const std::uint64_t begin = matrix.offsets[row];
    for (std::uint64_t i = begin; i < matrix.offsets[std::size_t{row} + 1]; ++i) {
      if (cursor.line_ended()) {
        cursor.fail(fmt::format("{} column indices, expected {}", i, header.nnz));
      }
      const std::uint64_t col = cursor.unsigned_integer("column index");
      if (col >= header.cols) {
        cursor.fail(
            fmt::format("column index {} in row {} is outside {} columns", col, row, header.cols));
      }
      if (i > begin && col <= matrix.columns.back()) {
        cursor.fail(fmt::format("column index {} follows {} in row {}: not ascending", col,
                                matrix.columns.back(), row));
      }
      matrix.columns.push_back(static_cast<Coordinate>(col));
    }
  }
  if (cursor.next_line()) {
    cursor.fail(
        fmt::format("unexpected {} after the {} column indices", shown(cursor.word()), header.nnz));
  }
}

}  // namespace

CsrMatrix parse_smtx(std::string_view text, const std::string& file) {
  TextCursor cursor(text, file);
  const Header header = read_header(cursor);
  check_header(cursor, header);
  CsrMatrix matrix;
  matrix.rows = static_cast<Coordinate>(header.rows);
  matrix.cols = static_cast<Coordinate>(header.cols);
  matrix.offsets = read_offsets(cursor, header);
  read_columns(cursor, header, matrix);
  return matrix;
}

CsrMatrix read_smtx(const std::filesystem::path& path,
                    const std::function<void(double)>& progress) {
  CsrMatrix matrix = parse_smtx(read_file(path, progress), path.string());
  if (progress) progress(1.0);
  return matrix;
}

}  // namespace lacuna
