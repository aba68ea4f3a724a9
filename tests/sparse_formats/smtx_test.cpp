// SPDX-License-Identifier: Apache-2.0
#include "sparse_formats/smtx.hpp"

#include <sys/stat.h>

#include <fstream>
#include <thread>

#include "base/error.hpp"
#include "base/file.hpp"
#include "sparse_formats/matrix_file.hpp"
#include "tests/catch.hpp"

using namespace lacuna;
using lacuna::test::error_of;

TEST_CASE("an SMTX file is a pattern, with commas or blanks in its first line") {
  for (const std::string first : {"3, 4, 5", "3 4 5", "% note\n3,4,5"}) {
    const auto matrix = parse_smtx(first + "\n0 2 2 5 \n0 3 1 2 3 \n", "w.smtx");
    matrix.validate();
    CHECK(matrix.rows == 3);
    CHECK(matrix.cols == 4);
    CHECK(matrix.offsets == std::vector<std::uint64_t>{0, 2, 2, 5});
    CHECK(matrix.columns == std::vector<Coordinate>{0, 3, 1, 2, 3});
    CHECK(matrix.values.empty());
  }
}

TEST_CASE("an SMTX file without nonzeros is legal") {
  CHECK(parse_smtx("2, 3, 0\n0 0 0 \n\n", "w.smtx").nnz() == 0);
  CHECK(parse_smtx("2, 3, 0\n0 0 0", "w.smtx").rows == 2);
}

TEST_CASE("every malformation of an SMTX file names its line and what is wrong") {
  struct Bad {
    std::string text;
    std::uint64_t line;
    std::string message;
  };
  const std::vector<Bad> corpus{
      {"", 1, "first line"},
      {"2, 2\n0 1 2\n0 1\n", 1, "fewer than three counts"},
      {"2, x, 2\n0 1 2\n0 1\n", 1, "'x' is not a count"},
      {"2, -2, 2\n0 1 2\n0 1\n", 1, "'-2' is not a count"},
      {"2, 2, 2, 2\n0 1 2\n0 1\n", 1, "unexpected '2' after the three counts"},
      {"2, 4294967296, 2\n0 1 2\n0 1\n", 1, "4294967296 is too large"},
      {"4000000000, 2, 2\n0 1 2\n0 1\n", 1, "4000000000 is too large"},
      {"4000000, 2, 2\n0 1 2\n0 1\n", 1, "do not fit"},
      {"2, 2, 18446744073709551615\n0 1 2\n0 1\n", 1, "entries are too many"},
      {"2, 2, 1000000\n0 1 2\n0 1\n", 1, "do not fit"},
      {"0, 2, 0\n", 1, "row offsets is missing"},
      {"2, 2, 2\n0 2\n0 1 0 1\n", 2, "2 row offsets for 2 rows, expected 3"},
      {"2, 2, 2\n0 1 2 2\n0 1\n", 2, "more than 3 row offsets"},
      {"2, 2, 2\n1 1 2\n0 1\n", 2, "first row offset is 1"},
      {"2, 2, 2\n0 2 1\n0 1\n", 2, "row offset 1 is below 2"},
      {"2, 2, 2\n0 3 2\n0 1\n", 2, "row offset 3 is above the 2"},
      {"2, 2, 2\n0 1 1\n0 1\n", 2, "last row offset is 1"},
      {"2, 2, 2\n0 1 z\n0 1\n", 2, "'z' is not"},
      {"2, 2, 2\n0 1 2\n", 2, "column indices is missing"},
      {"2, 2, 2\n0 1 2\n0\n", 3, "1 column indices, expected 2"},
      {"2, 2, 2\n0 1 2\n0 1 1\n", 3, "unexpected '1' after the 2"},
      {"2, 2, 2\n0 1 2\n0 1\n7\n", 4, "unexpected '7' after the 2"},
      {"2, 2, 2\n0 1 2\n0 2\n", 3, "column index 2 in row 1 is outside 2 columns"},
      {"2, 2, 2\n0 2 2\n1 0\n", 3, "0 follows 1 in row 0: not ascending"},
      {"2, 2, 2\n0 2 2\n1 1\n", 3, "not ascending"},
      {"2, 2, 2\n0 2 2\n0 -1\n", 3, "'-1' is not"},
  };
  for (const Bad& bad : corpus) {
    INFO(bad.text);
    try {
      (void)parse_smtx(bad.text, "w.smtx");
      FAIL_CHECK("was accepted");
    } catch (const InputError& error) {
      INFO(error.what());
      CHECK(error.place().line == bad.line);
      CHECK(std::string(error.what()).find(bad.message) != std::string::npos);
    }
  }
}

TEST_CASE("the reader is chosen by banner, name and first line") {
  const auto folder = lacuna::test::scratch("matrix_file");
  const std::string smtx = "2, 2, 2\n0 1 2\n0 1\n";
  const std::string market = "%%MatrixMarket matrix coordinate pattern general\n2 2 1\n1 1\n";
  const auto nnz = [&](const std::string& name, const std::string& text) {
    write_file(folder / name, text);
    return load_matrix(folder / name).nnz();
  };
  CHECK(nnz("a.smtx", smtx) == 2);
  CHECK(nnz("a.smtx.gz", gzip(smtx)) == 2);
  CHECK(nnz("a.txt", "% c\n" + smtx) == 2);
  CHECK(nnz("a.mtx", market) == 1);
  CHECK(nnz("a.mtx.gz", gzip(market)) == 1);
  CHECK(nnz("a.dat", market) == 1);
  CHECK(error_of([&] { nnz("b.mtx", smtx); }).find("banner") != std::string::npos);
  CHECK(error_of([&] { nnz("b.txt", "hello\n"); }).find("neither") != std::string::npos);
  CHECK(error_of([&] { nnz("empty", ""); }).find("neither") != std::string::npos);
  CHECK_THROWS_AS(nnz("cut.mtx.gz", gzip(market).substr(0, 30)), InputError);
  CHECK_THROWS_AS(load_matrix(folder / "absent.mtx"), InputError);
  double last = 0;
  (void)load_matrix(folder / "a.smtx", [&](double share) { last = share; });
  CHECK(last == 1.0);
  CHECK(matrix_stem("x/email-Enron.mtx.gz") == "email-Enron");
  CHECK(matrix_stem("layer.smtx") == "layer");
  CHECK(matrix_stem("v1.2") == "v1.2");
}

TEST_CASE("every supplied SMTX file is read") {
  LACUNA_NEEDS_SHARED();
  std::size_t files = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(lacuna::test::shared_data() / "dlmc")) {
    if (entry.path().extension() != ".gz") continue;
    const CsrMatrix matrix = load_matrix(entry.path());
    matrix.validate();
    CHECK(matrix.nnz() > 0);
    ++files;
  }
  CHECK(files > 50);
}

TEST_CASE("a matrix is read from a pipe") {
  const auto path = lacuna::test::scratch("matrix_pipe") / "pipe";
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  for (const bool compressed : {false, true}) {
    const std::string text = "2, 2, 2\n0 1 2\n0 1\n";
    std::thread writer([&] { std::ofstream(path) << (compressed ? gzip(text) : text); });
    const std::string message = error_of([&] { CHECK(load_matrix(path).nnz() == 2); });
    writer.join();
    CHECK(message.empty());
  }
}
