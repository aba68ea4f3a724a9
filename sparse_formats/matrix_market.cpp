// SPDX-License-Identifier: Apache-2.0
#include "sparse_formats/matrix_market.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/large_array.hpp"
#include "sparse_formats/text_cursor.hpp"

namespace lacuna {
namespace {

enum class Layout { coordinate, array };
enum class Field { real, integer, pattern };
enum class Symmetry { general, symmetric, skew_symmetric };

struct Banner {
  Layout layout;
  Field field;
  Symmetry symmetry;
};

struct Size {
  Coordinate rows;
  Coordinate cols;
  std::uint64_t entries;  // as stored; array: computed from the shape
};

constexpr std::string_view kExample = "%%MatrixMarket matrix coordinate real general";
constexpr std::uint64_t kProgressStride = 1U << 16;

std::string lower(std::string_view word) {
  std::string out(word);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

template <class Enum, std::size_t N>
Enum banner_word(TextCursor& cursor, const char* what,
                 const std::array<std::pair<std::string_view, Enum>, N>& known,
                 std::initializer_list<std::string_view> refused) {
  std::string_view text;
  if (cursor.line_ended() || (text = cursor.word()).empty()) {
    cursor.fail(fmt::format("the banner ends before the {}", what),
                fmt::format("expected for example '{}'", kExample));
  }
  const std::string word = lower(text);
  std::vector<std::string> names;
  for (const auto& [name, value] : known) {
    if (name == word) return value;
    names.emplace_back(name);
  }
  if (std::find(refused.begin(), refused.end(), word) != refused.end()) {
    cursor.fail(fmt::format("{} matrices are not supported", word),
                fmt::format("expected {}", fmt::join(names, ", ")));
  }
  cursor.fail(fmt::format("unknown {} {} in the banner", what, shown(text)), suggest(word, names));
}

Banner read_banner(TextCursor& cursor) {
  if (lower(cursor.word()) != "%%matrixmarket") {
    cursor.fail("is not a Matrix Market file: the first line has no %%MatrixMarket banner",
                fmt::format("expected for example '{}'", kExample));
  }
  banner_word<int, 1>(cursor, "object", {{{"matrix", 0}}}, {"vector"});
  Banner banner{};
  banner.layout = banner_word<Layout, 2>(
      cursor, "format", {{{"coordinate", Layout::coordinate}, {"array", Layout::array}}}, {});
  banner.field = banner_word<Field, 3>(
      cursor, "field",
      {{{"real", Field::real}, {"integer", Field::integer}, {"pattern", Field::pattern}}},
      {"complex"});
  banner.symmetry = banner_word<Symmetry, 3>(cursor, "symmetry",
                                             {{{"general", Symmetry::general},
                                               {"symmetric", Symmetry::symmetric},
                                               {"skew-symmetric", Symmetry::skew_symmetric}}},
                                             {"hermitian"});
  if (banner.field == Field::pattern && banner.layout == Layout::array) {
    cursor.fail("an array of patterns holds nothing", "use 'coordinate' with 'pattern'");
  }
  if (banner.field == Field::pattern && banner.symmetry == Symmetry::skew_symmetric) {
    cursor.fail("a pattern has no sign to be skew-symmetric with", "use 'symmetric'");
  }
  cursor.expect_line_end("banner");
  return banner;
}

Coordinate read_extent(TextCursor& cursor, const char* what) {
  return checked_extent(cursor, what, cursor.unsigned_integer(what));
}

Size read_size(TextCursor& cursor, const Banner& banner) {
  if (!cursor.next_line()) {
    cursor.fail("the size line is missing", banner.layout == Layout::array
                                                ? "expected 'rows columns'"
                                                : "expected 'rows columns entries'");
  }
  Size size{};
  size.rows = read_extent(cursor, "number of rows");
  size.cols = read_extent(cursor, "number of columns");
  const std::uint64_t n = size.rows;
  if (banner.layout == Layout::coordinate) {
    size.entries = cursor.unsigned_integer("number of entries");
  } else if (banner.symmetry == Symmetry::general) {
    size.entries = n * size.cols;
  } else if (banner.symmetry == Symmetry::symmetric) {
    size.entries = n * (n + 1) / 2;
  } else {
    size.entries = n == 0 ? 0 : n * (n - 1) / 2;
  }
  if (banner.symmetry != Symmetry::general && size.rows != size.cols) {
    cursor.fail(fmt::format("a symmetric matrix of {} rows and {} columns is not square", size.rows,
                            size.cols));
  }
  cursor.expect_line_end("size line");
  check_entries(cursor, size.entries);
  return size;
}

Coordinate read_index(TextCursor& cursor, const char* what, const char* plural, Coordinate extent) {
  const std::uint64_t index = cursor.unsigned_integer(what);
  if (index == 0) [[unlikely]] {
    cursor.fail(fmt::format("{} is 0, but Matrix Market counts from 1", what),
                "add 1 to every index of a file that counts from 0");
  }
  if (index > extent) [[unlikely]] {
    cursor.fail(fmt::format("{} {} is outside a matrix of {} {}", what, index, extent, plural));
  }
  return static_cast<Coordinate>(index - 1);
}

double read_value(TextCursor& cursor, Field field) {
  if (field == Field::real) return cursor.real("value");
  if (field == Field::integer) return cursor.integer("value");
  return 1.0;
}

void check_triangle(const TextCursor& cursor, Symmetry symmetry, Coordinate row, Coordinate col) {
  if (symmetry == Symmetry::general || row > col) return;
  if (row < col) {
    cursor.fail(fmt::format("entry ({}, {}) lies above the diagonal of a symmetric matrix", row + 1,
                            col + 1),
                "only the lower triangle is stored; use 'general' to store both");
  }
  if (symmetry == Symmetry::skew_symmetric) {
    cursor.fail(
        fmt::format("entry ({0}, {0}) lies on the diagonal of a skew-symmetric matrix", row + 1),
        "its diagonal is zero and is not stored");
  }
}

/// Collects the nonzeros of a file, mirrored as its symmetry says. Mirroring at once keeps each
/// row in column order when the file is in column order, as most are.
class Collector {
 public:
  Collector(const Banner& banner, const Size& size, std::uint64_t bytes) : banner_(banner) {
    // The shortest entry is "1 1\n" or "1 1 1\n": the text bounds what its header may reserve.
    const std::uint64_t shortest = banner.field == Field::pattern ? 4 : 6;
    std::uint64_t count = std::min(size.entries, bytes / shortest + 1);
    if (banner.layout == Layout::array) count = 0;  // the nonzeros among them are not known
    if (banner.symmetry != Symmetry::general) count *= 2;
    reserve_large(triples_.rows, count);
    reserve_large(triples_.cols, count);
    if (banner.field != Field::pattern) reserve_large(triples_.values, count);
  }

  void add(Coordinate row, Coordinate col, double value) {
    push(row, col, value);
    if (banner_.symmetry != Symmetry::general && row != col) {
      push(col, row, banner_.symmetry == Symmetry::symmetric ? value : -value);
    }
  }

  Triples take() { return std::move(triples_); }

 private:
  void push(Coordinate row, Coordinate col, double value) {
    triples_.rows.push_back(row);
    triples_.cols.push_back(col);
    if (banner_.field != Field::pattern) triples_.values.push_back(value);
  }

  Banner banner_;
  Triples triples_;
};

void expect_more(TextCursor& cursor, std::uint64_t have, std::uint64_t want) {
  if (cursor.next_line()) return;
  cursor.fail(fmt::format("the file ends after {} entries of {}", have, want),
              "it is cut short, or its size line is wrong");
}

void read_coordinate(TextCursor& cursor, const Banner& banner, const Size& size, Collector& out,
                     const std::function<void(double)>& progress) {
  for (std::uint64_t i = 0; i < size.entries; ++i) {
    expect_more(cursor, i, size.entries);
    const Coordinate row = read_index(cursor, "row index", "rows", size.rows);
    const Coordinate col = read_index(cursor, "column index", "columns", size.cols);
    const double value = read_value(cursor, banner.field);
    check_triangle(cursor, banner.symmetry, row, col);
    cursor.expect_line_end("entry");
    out.add(row, col, value);
    if (i % kProgressStride == 0 && progress) progress(cursor.share());
  }
}

void read_array(TextCursor& cursor, const Banner& banner, const Size& size, Collector& out,
                const std::function<void(double)>& progress) {
  std::uint64_t i = 0;
  for (Coordinate col = 0; col < size.cols; ++col) {
    const std::uint64_t first = banner.symmetry == Symmetry::general     ? 0
                                : banner.symmetry == Symmetry::symmetric ? col
                                                                         : std::uint64_t{col} + 1;
    for (std::uint64_t row = first; row < size.rows; ++row, ++i) {
      expect_more(cursor, i, size.entries);
      const double value = read_value(cursor, banner.field);
      cursor.expect_line_end("value");
      if (value != 0.0) out.add(static_cast<Coordinate>(row), col, value);
      if (i % kProgressStride == 0 && progress) progress(cursor.share());
    }
  }
}

}  // namespace

CsrMatrix parse_matrix_market(TextCursor& cursor, const MatrixMarketOptions& options) {
  const Banner banner = read_banner(cursor);
  const Size size = read_size(cursor, banner);
  Collector collector(banner, size, cursor.remaining());
  if (banner.layout == Layout::coordinate) {
    read_coordinate(cursor, banner, size, collector, options.progress);
  } else {
    read_array(cursor, banner, size, collector, options.progress);
  }
  if (cursor.next_line()) {
    cursor.fail(fmt::format("{} after the {} entries that the size line promises",
                            shown(cursor.word()), size.entries),
                "remove the rest, or correct the size line");
  }
  CsrMatrix matrix = from_triples(size.rows, size.cols, collector.take());
  if (options.drop_zeros) drop_zeros(matrix);
  if (options.progress) options.progress(1.0);
  return matrix;
}

CsrMatrix parse_matrix_market(std::string_view text, const std::string& file,
                              const MatrixMarketOptions& options) {
  TextCursor cursor(text, file);
  return parse_matrix_market(cursor, options);
}

CsrMatrix read_matrix_market(const std::filesystem::path& path,
                             const MatrixMarketOptions& options) {
  FileReader reader(path, FileReader::Use::streamed);
  std::string head;
  (void)reader.read(head);
  TextCursor cursor(reader, std::move(head), path.string());
  return parse_matrix_market(cursor, options);
}

std::string to_matrix_market(const CsrMatrix& matrix) {
  const bool pattern = matrix.values.empty();
  std::string out =
      fmt::format("%%MatrixMarket matrix coordinate {} general\n{} {} {}\n",
                  pattern ? "pattern" : "real", matrix.rows, matrix.cols, matrix.nnz());
  for (Coordinate row = 0; row < matrix.rows; ++row) {
    for (std::uint64_t i = matrix.offsets[row]; i < matrix.offsets[std::size_t{row} + 1]; ++i) {
      const std::uint64_t col = std::uint64_t{matrix.columns[i]} + 1;
      if (pattern) {
        fmt::format_to(std::back_inserter(out), "{} {}\n", std::uint64_t{row} + 1, col);
      } else {
        fmt::format_to(std::back_inserter(out), "{} {} {}\n", std::uint64_t{row} + 1, col,
                       matrix.values[i]);
      }
    }
  }
  return out;
}

void write_matrix_market(const std::filesystem::path& path, const CsrMatrix& matrix) {
  const std::string text = to_matrix_market(matrix);
  write_file(path, path.extension() == ".gz" ? gzip(text) : text);
}

}  // namespace lacuna
