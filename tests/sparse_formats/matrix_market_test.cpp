// SPDX-License-Identifier: Apache-2.0
#include "sparse_formats/matrix_market.hpp"

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/random.hpp"
#include "tests/catch.hpp"

using namespace lacuna;
using lacuna::test::error_of;

namespace {

CsrMatrix parse(const std::string& text, const MatrixMarketOptions& options = {}) {
  CsrMatrix matrix = parse_matrix_market(text, "m.mtx", options);
  matrix.validate();
  return matrix;
}

const std::string kReal = "%%MatrixMarket matrix coordinate real general\n";
const std::string kPattern = "%%MatrixMarket matrix coordinate pattern general\n";

/// Dense, row by row, so that small expectations can be read.
std::vector<double> dense(const CsrMatrix& matrix) {
  std::vector<double> out(std::size_t{matrix.rows} * matrix.cols, 0.0);
  for (Coordinate r = 0; r < matrix.rows; ++r) {
    for (std::size_t i = 0; i < matrix.cols_of(r).size(); ++i) {
      out[std::size_t{r} * matrix.cols + matrix.cols_of(r)[i]] =
          matrix.values.empty() ? 1.0 : matrix.values_of(r)[i];
    }
  }
  return out;
}

}  // namespace

TEST_CASE("a coordinate file is read in any order, with comments and blank lines anywhere") {
  const auto matrix = parse(
      "%%matrixmarket MATRIX Coordinate Real GENERAL\r\n% a comment\n\n  2 3\t4 \n"
      "2 3 -1.5e1\n%between\n1 1 +2\n\n1 3 .5\r\n2 1 1E-400\n\n% end");
  CHECK(dense(matrix) == std::vector<double>{2, 0, 0.5, 0, 0, -15});
  CHECK(matrix.nnz() == 4);  // a value too small for a double is a stored zero
}

TEST_CASE("integers, patterns and arrays are read") {
  CHECK(dense(parse("%%MatrixMarket matrix coordinate integer general\n1 2 2\n1 1 -7\n1 2 +3\n")) ==
        std::vector<double>{-7, 3});
  const auto pattern = parse(kPattern + "2 2 2\n2 1\n1 2");
  CHECK(pattern.values.empty());
  CHECK(dense(pattern) == std::vector<double>{0, 1, 1, 0});
  const auto array = parse("%%MatrixMarket matrix array real general\n2 3\n1\n2\n0\n4\n5\n6\n");
  CHECK(dense(array) == std::vector<double>{1, 0, 5, 2, 4, 6});
  CHECK(array.nnz() == 5);  // an array's zeros are not nonzeros
  CHECK(dense(parse("%%MatrixMarket matrix array integer symmetric\n2 2\n1\n2\n3\n")) ==
        std::vector<double>{1, 2, 2, 3});
  CHECK(dense(parse("%%MatrixMarket matrix array real skew-symmetric\n3 3\n1\n2\n3\n")) ==
        std::vector<double>{0, -1, -2, 1, 0, -3, 2, 3, 0});
}

TEST_CASE("symmetric storage is expanded") {
  const auto matrix =
      parse("%%MatrixMarket matrix coordinate real symmetric\n3 3 4\n1 1 1\n3 1 2\n3 2 3\n3 3 4\n");
  CHECK(matrix.nnz() == 6);
  CHECK(dense(matrix) == std::vector<double>{1, 0, 2, 0, 0, 3, 2, 3, 4});
  CHECK(dense(parse("%%MatrixMarket matrix coordinate real skew-symmetric\n2 2 1\n2 1 5\n")) ==
        std::vector<double>{0, -5, 5, 0});
  const auto pattern =
      parse("%%MatrixMarket matrix coordinate pattern symmetric\n3 3 2\n2 1\n2 2\n");
  CHECK(pattern.nnz() == 3);
}

TEST_CASE("duplicates are summed and stored zeros stay unless they are dropped") {
  const std::string text = kReal + "2 2 5\n1 2 1\n1 1 0\n1 2 2\n2 2 4\n2 2 -4\n";
  const auto kept = parse(text);
  CHECK(kept.nnz() == 3);
  CHECK(dense(kept) == std::vector<double>{0, 3, 0, 0});
  MatrixMarketOptions options;
  options.drop_zeros = true;
  const auto dropped = parse(text, options);
  CHECK(dropped.nnz() == 1);
  CHECK(dense(dropped) == std::vector<double>{0, 3, 0, 0});
  CHECK(parse(kPattern + "2 2 3\n1 1\n1 1\n2 2\n", options).nnz() == 2);
}

TEST_CASE("empty matrices are legal") {
  CHECK(parse(kReal + "3 4 0\n").nnz() == 0);
  CHECK(parse(kReal + "0 0 0").rows == 0);
  CHECK(parse("%%MatrixMarket matrix array real general\n0 5\n% nothing\n").cols == 5);
}

TEST_CASE("every malformation names its line and what is wrong") {
  struct Bad {
    std::string text;
    std::uint64_t line;
    std::string message;
  };
  const std::string symmetric = "%%MatrixMarket matrix coordinate real symmetric\n";
  const std::string skew = "%%MatrixMarket matrix coordinate real skew-symmetric\n";
  const std::string integer = "%%MatrixMarket matrix coordinate integer general\n";
  const std::string array = "%%MatrixMarket matrix array real general\n";
  const std::vector<Bad> corpus{
      {"", 1, "no %%MatrixMarket banner"},
      {"1 1 1\n1 1 1\n", 1, "no %%MatrixMarket banner"},
      {"%MatrixMarket matrix coordinate real general\n1 1 0\n", 1, "banner"},
      {"%%MatrixMarket\n", 1, "ends before the object"},
      {"%%MatrixMarket matrix coordinate real\n1 1 0\n", 1, "ends before the symmetry"},
      {"%%MatrixMarket tensor coordinate real general\n", 1, "unknown object 'tensor'"},
      {"%%MatrixMarket vector coordinate real general\n", 1, "vector matrices are not"},
      {"%%MatrixMarket matrix coordinat real general\n", 1, "did you mean 'coordinate'?"},
      {"%%MatrixMarket matrix coordinate reel general\n", 1, "did you mean 'real'?"},
      {"%%MatrixMarket matrix coordinate complex general\n", 1, "complex matrices are not"},
      {"%%MatrixMarket matrix coordinate real hermitian\n", 1, "hermitian matrices are not"},
      {"%%MatrixMarket matrix coordinate real symetric\n", 1, "did you mean 'symmetric'?"},
      {"%%MatrixMarket matrix coordinate real general x\n", 1, "unexpected 'x' after the banner"},
      {"%%MatrixMarket matrix array pattern general\n2 2\n", 1, "array of patterns"},
      {"%%MatrixMarket matrix coordinate pattern skew-symmetric\n", 1, "no sign"},
      {kReal, 1, "size line is missing"},
      {kReal + "% only a comment\n\n", 2, "size line is missing"},
      {kReal + "2 2\n1 1 1\n", 2, "number of entries is missing"},
      {kReal + "-2 2 1\n1 1 1\n", 2, "'-2' is not a non-negative integer"},
      {kReal + "2 two 1\n1 1 1\n", 2, "'two' is not a non-negative integer"},
      {kReal + "2 2.0 1\n1 1 1\n", 2, "'2.0' is not"},
      {kReal + "4294967296 1 0\n", 2, "4294967296 is too large"},
      {kReal + "1 99999999999999999999 0\n", 2, "'99999999999999999999' is too large"},
      {kReal + "200000000 1 0\n", 2, "out of proportion"},
      {kReal + "1 200000000 0\n", 2, "out of proportion"},
      {kReal + "2 2 1 7\n1 1 1\n", 2, "unexpected '7' after the size line"},
      {kReal + "2 2 2\n1 1 1\n", 3, "ends after 1 entries of 2"},
      {kReal + "2 2 1000000000\n1 1 1\n\n\n", 3, "ends after 1 entries"},
      {kReal + "2 2 18446744073709551615\n1 1 1\n", 2, "entries are too many"},
      {kReal + "2 2 1\n1 1 1\n\n2 2 1\n", 5, "'2' after the 1 entries"},
      {kReal + "2 2 1\n0 1 1\n", 3, "row index is 0, but Matrix Market counts from 1"},
      {kReal + "2 2 1\n1 0 1\n", 3, "column index is 0"},
      {kReal + "2 2 1\n3 1 1\n", 3, "row index 3 is outside a matrix of 2 rows"},
      {kReal + "2 2 1\n1 3 1\n", 3, "column index 3 is outside a matrix of 2 columns"},
      {kReal + "2 2 1\n-1 1 1\n", 3, "row index '-1' is not"},
      {kReal + "2 2 1\n1,1,1\n", 3, "row index '1,1,1' is not"},
      {kReal + "2 2 1\n1\n", 3, "column index is missing"},
      {kReal + "2 2 1\n1 1\n", 3, "value is missing"},
      {kReal + "2 2 1\n1 1", 3, "value is missing"},
      {kReal + "2 2 1\n1 1 one\n", 3, "value 'one' is not a number"},
      {kReal + "2 2 1\n1 1 1.0D+00\n", 3, "value '1.0D+00' is not a number"},
      {kReal + "2 2 1\n1 1 +-1\n", 3, "'+-1' is not a number"},
      {kReal + "2 2 1\n1 1 nan\n", 3, "'nan' is not finite"},
      {kReal + "2 2 1\n1 1 -Inf\n", 3, "'-Inf' is not finite"},
      {kReal + "2 2 1\n1 1 1e999\n", 3, "'1e999' is not finite"},
      {kReal + "2 2 1\n1 1 1 0\n", 3, "unexpected '0' after the entry"},
      {kPattern + "2 2 1\n1 1 1\n", 3, "unexpected '1' after the entry"},
      {integer + "2 2 1\n1 1 1.5\n", 3, "'1.5' is not an integer"},
      {integer + "2 2 1\n1 1 9007199254740993\n", 3, "beyond 2^53"},
      {integer + "2 2 1\n1 1 99999999999999999999\n", 3, "beyond 2^53"},
      {integer + "2 2 1\n1 1\n", 3, "value is missing"},
      {symmetric + "2 3 0\n", 2, "not square"},
      {symmetric + "2 2 1\n1 2 1\n", 3, "entry (1, 2) lies above the diagonal"},
      {skew + "2 2 1\n1 1 1\n", 3, "entry (1, 1) lies on the diagonal"},
      {skew + "2 2 1\n1 2 1\n", 3, "above the diagonal"},
      {array + "2 2\n1\n2\n3\n", 5, "ends after 3 entries of 4"},
      {array + "1 2\n1\n2\n3\n", 5, "'3' after the 2 entries"},
      {array + "1 2\n1 2\n", 3, "unexpected '2' after the value"},
      {array + "2 2 4\n1\n", 2, "unexpected '4' after the size line"},
      {array + "30000 30000\n1\n", 3, "ends after 1 entries of 900000000"},
      {array + "4000000 4000000\n1\n", 2, "16,000,000,000,000 entries are too many"},
  };
  for (const Bad& bad : corpus) {
    INFO(bad.text);
    try {
      (void)parse(bad.text);
      FAIL_CHECK("was accepted");
    } catch (const InputError& error) {
      INFO(error.what());
      CHECK(error.place().file == "m.mtx");
      CHECK(error.place().line == bad.line);
      CHECK(std::string(error.what()).find(bad.message) != std::string::npos);
    }
  }
}

TEST_CASE("a cut or altered file never does more than report an error") {
  const std::string whole = kReal + "3 3 4\n1 1 1.5\n2 3 -2\n3 1 1e3\n3 3 4\n";
  RandomStream random(1, "mutations");
  for (std::size_t n = 0; n < whole.size(); ++n) {
    (void)error_of([&] { (void)parse(whole.substr(0, n)); });
  }
  int refused = 0;
  for (int i = 0; i < 5000; ++i) {
    std::string text = whole;
    for (std::uint64_t k = random.below(4); k <= 4; ++k) {
      text[static_cast<std::size_t>(random.below(text.size()))] =
          static_cast<char>(random.below(256));
    }
    try {
      (void)parse(text);
    } catch (const InputError&) {
      ++refused;
    }
  }
  CHECK(refused > 2500);
}

TEST_CASE("what is written is read back bit by bit, plain and compressed") {
  const auto folder = lacuna::test::scratch("matrix_market");
  RandomStream random(3, "round trip");
  for (int trial = 0; trial < 30; ++trial) {
    const auto rows = static_cast<Coordinate>(1 + random.below(40));
    const auto cols = static_cast<Coordinate>(1 + random.below(40));
    std::vector<Entry> entries;
    for (const std::uint64_t key : random.sample(std::uint64_t{rows} * cols, random.below(300))) {
      entries.push_back({static_cast<Coordinate>(key / cols), static_cast<Coordinate>(key % cols),
                         random.normal() * (key % 7 == 0 ? 1e-300 : 1e10)});
    }
    random.shuffle(entries);
    const CsrMatrix matrix = from_entries(rows, cols, entries, trial % 3 == 0);
    matrix.validate();
    const auto path = folder / (trial % 2 == 0 ? "m.mtx" : "m.mtx.gz");
    write_matrix_market(path, matrix);
    const CsrMatrix back = read_matrix_market(path);
    back.validate();
    CHECK(back.rows == matrix.rows);
    CHECK(back.cols == matrix.cols);
    CHECK(back.offsets == matrix.offsets);
    CHECK(back.columns == matrix.columns);
    CHECK(back.values == matrix.values);
    // The same entries in file order, so that sorting is exercised.
    if (trial % 3 == 0) continue;
    std::string text = kReal + fmt::format("{} {} {}\n", rows, cols, entries.size());
    for (const Entry& e : entries) {
      text += fmt::format("{} {} {}\n", e.row + 1, e.col + 1, e.value);
    }
    CHECK(parse(text).columns == matrix.columns);
    CHECK(parse(text).values == matrix.values);
  }
}

TEST_CASE("progress rises from 0 to 1") {
  const auto folder = lacuna::test::scratch("matrix_progress");
  std::string text = kPattern + "3000 1000 600000\n";
  for (int i = 0; i < 600000; ++i) text += fmt::format("{} {}\n", 1 + i / 200, 1 + i % 200);
  write_file(folder / "m.mtx", text);
  write_file(folder / "m.mtx.gz", gzip(text));
  for (const char* name : {"m.mtx", "m.mtx.gz"}) {
    CAPTURE(name);
    std::vector<double> shares;
    MatrixMarketOptions options;
    options.progress = [&](double share) { shares.push_back(share); };
    CHECK(read_matrix_market(folder / name, options).nnz() == 600000);
    REQUIRE(shares.size() > 4);
    CHECK(std::is_sorted(shares.begin(), shares.end()));
    CHECK(shares.front() <= 0.5);
    CHECK(shares.back() == 1.0);
  }
}
