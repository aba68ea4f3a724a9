// SPDX-License-Identifier: Apache-2.0
// Is a file that is read piece by piece read as its text is in memory, and is what is wrong with it
// found at the same line?
#include <algorithm>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/file_reader.hpp"
#include "base/random.hpp"
#include "sparse_formats/matrix_market.hpp"
#include "tests/catch.hpp"

using namespace lacuna;
using lacuna::test::error_of;

namespace {

constexpr std::size_t kEntries = 200'000;

/// Entries with comments and blank lines between them, some longer than a piece.
std::vector<std::string> lines_of(RandomStream& random, std::size_t long_comment) {
  std::vector<std::string> lines{"%%MatrixMarket matrix coordinate real general",
                                 fmt::format("5000 7000 {}", kEntries)};
  for (std::size_t i = 0; i < kEntries; ++i) {
    if (i == kEntries / 3) lines.push_back("%" + std::string(long_comment, 'c'));
    if (random.below(50) == 0) lines.push_back(random.below(2) == 0 ? "  " : "% a comment");
    lines.push_back(
        fmt::format("{} {} {}", 1 + random.below(5000), 1 + random.below(7000), random.normal()));
  }
  return lines;
}

std::string joined(const std::vector<std::string>& lines) {
  return fmt::format("{}\n", fmt::join(lines, "\n"));
}

/// Several gzip members behind each other, as parallel compressors write them: the trailer tells
/// the size of the last one alone.
std::string gzip_members(const std::string& text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += 700'000) out += gzip(text.substr(at, 700'000));
  return out + gzip("");
}

void check_equal(const CsrMatrix& x, const CsrMatrix& y) {
  x.validate();
  CHECK(x.offsets == y.offsets);
  CHECK(x.columns == y.columns);
  CHECK(x.values == y.values);
}

}  // namespace

TEST_CASE("a matrix of several pieces is the matrix of its text, plain or compressed") {
  const auto folder = lacuna::test::scratch("matrix_pieces");
  RandomStream random(5, "pieces");
  for (const std::size_t long_comment : {std::size_t{10}, 5 * FileReader::kPiece / 2}) {
    std::string text = joined(lines_of(random, long_comment));
    REQUIRE(text.size() > 4 * FileReader::kPiece);
    if (long_comment == 10) text.pop_back();  // the last line need not end
    const CsrMatrix expected = parse_matrix_market(text, "text");
    write_file(folder / "plain.mtx", text);
    write_file(folder / "one.mtx.gz", gzip(text));
    write_file(folder / "members.mtx.gz", gzip_members(text));
    for (const char* name : {"plain.mtx", "one.mtx.gz", "members.mtx.gz"}) {
      CAPTURE(name);
      check_equal(read_matrix_market(folder / name), expected);
    }
  }
}

TEST_CASE("what is wrong in a late piece is found at its line, as in the text") {
  const auto file = lacuna::test::scratch("matrix_pieces_bad") / "m.mtx";
  RandomStream random(6, "bad pieces");
  const std::vector<std::string> good = lines_of(random, 10);
  const auto check_same = [&](const std::vector<std::string>& lines, const std::string& part) {
    const std::string text = joined(lines);
    write_file(file, text);
    const std::string expected = error_of([&] { (void)parse_matrix_market(text, file.string()); });
    CHECK(expected.find(part) != std::string::npos);
    CHECK(error_of([&] { (void)read_matrix_market(file); }) == expected);
  };
  for (const std::size_t at : {good.size() / 4, good.size() / 2, good.size() - 1}) {
    for (const char* bad : {"0 1 1.0", "1 1 x", "1 9999 1", "1 1", "1 1 1 1"}) {
      std::vector<std::string> lines = good;
      lines[at] = bad;
      check_same(lines, fmt::format(":{}: ", at + 1));
    }
  }
  std::vector<std::string> cut = good;
  const std::size_t last = cut.size() - 1;
  cut.back() = "";
  cut.insert(cut.end(), 20, "");
  check_same(cut, "the file ends after");
  cut = good;
  cut.push_back("1 1 1");
  check_same(cut, fmt::format(":{}: ", last + 2));
}
