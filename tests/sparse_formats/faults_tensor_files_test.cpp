// SPDX-License-Identifier: Apache-2.0
// Matrices and tensors that ask for more memory or time than their bytes are worth.
#include <ctime>
#include <filesystem>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/limits.hpp"
#include "sparse_formats/matrix_file.hpp"
#include "sparse_formats/matrix_market.hpp"
#include "sparse_formats/npy.hpp"
#include "sparse_formats/npz.hpp"
#include "sparse_formats/safetensors.hpp"
#include "sparse_formats/smtx.hpp"
#include "tests/catch.hpp"

using namespace lacuna;
using lacuna::test::contains;
using lacuna::test::error_of;
using lacuna::test::scratch;

namespace {

const std::string kBanner = "%%MatrixMarket matrix coordinate pattern general\n";

std::filesystem::path written(const std::string& name, const std::string& content) {
  const auto path = scratch("faults") / name;
  write_file(path, content);
  return path;
}

std::string matrix_error(const std::string& name, const std::string& content) {
  const auto path = written(name, content);
  return error_of([&] { (void)load_matrix(path); });
}

std::string safetensors(const std::string& header, const std::string& data) {
  std::string out;
  for (int i = 0; i < 8; ++i) out += static_cast<char>(header.size() >> (8 * i) & 0xffU);
  return out + header + data;
}

std::string npy(const std::string& shape, const std::string& data) {
  std::string header = "{'descr': '|u1', 'fortran_order': False, 'shape': " + shape + ", }\n";
  std::string out("\x93NUMPY\x01\x00", 8);
  out += static_cast<char>(header.size());
  out += '\0';
  return out + header + data;
}

/// Of this process alone: the machine may be busy.
double seconds_since(std::clock_t start) {
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

}  // namespace

TEST_CASE("fault: a size line of 30 bytes asks for no memory, in an SMTX file either") {
  CHECK_THAT(matrix_error("wide.smtx", "1, 400000000, 1\n0 1\n5\n"),
             contains("wide.smtx:1: number of columns 400000000 is too large") &&
                 contains("at most 268,435,456"));
  CHECK_THAT(matrix_error("w.smtx", "1, 200000000, 1\n0 1\n5\n"), contains("out of proportion"));
  CHECK_THAT(matrix_error("wide.mtx", kBanner + "1 400000000 1\n1 5\n"),
             contains("wide.mtx:2: number of columns 400000000 is too large"));
  CHECK_THAT(matrix_error("many.mtx", kBanner + "10 10 99999999999\n1 5\n"),
             contains("99,999,999,999 entries are too many"));
  CHECK_THAT(
      matrix_error("array.mtx", "%%MatrixMarket matrix array real general\n4000000 4000000\n1\n"),
      contains("entries are too many"));
}

TEST_CASE("a matrix of many empty rows is read when its text is in proportion") {
  std::string text = kBanner + "20000000 20000000 60000\n";
  for (int i = 1; i <= 60'000; ++i) text += fmt::format("{0} {0}\n", i * 333);
  const CsrMatrix matrix = parse_matrix_market(text, "rows.mtx");
  CHECK(matrix.rows == 20'000'000);
  CHECK(matrix.nnz() == 60'000);
}

TEST_CASE("fault: gzip files of one endless line are refused early") {
  const auto start = std::clock();
  const std::string spaces(20U << 20, ' ');
  CHECK_THAT(matrix_error("a.mtx.gz", gzip(kBanner + "1 1 1\n" + spaces)),
             contains("a.mtx.gz:3: a line of more than 16,777,216 bytes"));
  CHECK_THAT(matrix_error("b.mtx.gz", gzip(kBanner + '%' + spaces)), contains("a line of more"));
  CHECK_THAT(matrix_error("c.mtx.gz", gzip(kBanner + "1 1 1\n1 1" + spaces)),
             contains("a line of more"));
  const std::string bomb = gzip("1, 1, 1\n0 1\n" + std::string(70U << 20, ' '));
  CHECK_THAT(matrix_error("d.smtx.gz", bomb), contains("inflate to more than 67,108,864"));
  CHECK(seconds_since(start) < 10);
}

TEST_CASE("fault: a device without end is no matrix and no tensor") {
  const auto folder = scratch("devices");
  for (const char* name : {"a.mtx", "a.smtx", "a.npy", "a.npz", "a.safetensors", "a"}) {
    const auto path = folder / name;
    std::filesystem::create_symlink("/dev/zero", path);
    const std::string extension = path.extension();
    const std::string error = error_of([&] {
      if (extension == ".npy") {
        (void)read_npy(path);
      } else if (extension == ".npz") {
        (void)read_npz(path);
      } else if (extension == ".safetensors") {
        (void)read_safetensors(path);
      } else {
        (void)load_matrix(path);
      }
    });
    INFO(name << ": " << error);
    CHECK_THAT(error, contains(name));
  }
}

TEST_CASE("fault: an .npy file gives what its header announces and no more") {
  CHECK_THAT(error_of([&] { (void)read_npy(written("a.npy", npy("(3,)", "12345"))); }),
             contains("a.npy") && contains("needs 3 bytes, the file holds"));
  const std::string zeros(80U << 20, '\0');
  CHECK_THAT(error_of([&] { (void)read_npy(written("b.npy", gzip(npy("(3,)", zeros)))); }),
             contains("needs 3 bytes, the file holds more"));
  CHECK_THAT(error_of([&] { (void)read_npy(written("c.npy", npy("(2000000000,)", "1"))); }),
             contains("2,000,000,000 elements are too many") && contains("1,073,741,824"));
  CHECK_THAT(error_of([&] { (void)read_npy(written("d.npy", gzip(npy("(83886080,)", zeros)))); }),
             contains("inflate to more than"));
}

TEST_CASE("fault: a safetensors file of 40,000 tensors is read in time") {
  std::string header = "{";
  for (int i = 0; i < 40'000; ++i) {
    header += fmt::format(R"({}"layer.{}.w":{{"dtype":"U8","shape":[1],"data_offsets":[{},{}]}})",
                          i == 0 ? "" : ",", i, i, i + 1);
  }
  const auto path =
      written("many.safetensors", safetensors(header + "}", std::string(40'000, 'x')));
  const auto start = std::clock();
  CHECK(safetensors_names(path).size() == 40'000);
  CHECK(read_safetensors(path, "layer.39999.w").values == std::vector<double>{'x'});
  CHECK(seconds_since(start) < 10);
}

TEST_CASE("fault: bytes behind the last tensor are counted") {
  const auto path =
      written("trail.safetensors",
              safetensors(R"({"w":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})", "abcdef"));
  CHECK_THAT(error_of([&] { (void)read_safetensors(path); }),
             contains("4 bytes follow the last tensor: the header describes 2 bytes of data, the "
                      "file holds 6"));
}

TEST_CASE("fault: headers of safetensors that are deep or long are refused") {
  const auto error = [](const std::string& content) {
    const auto path = written("x.safetensors", content);
    return error_of([&] { (void)safetensors_names(path); });
  };
  CHECK_THAT(error(safetensors("{\"a\":" + std::string(100'000, '['), "")),
             contains("nested deeper than"));
  CHECK_THAT(error(safetensors(std::string(limits::kSafetensorsHeaderBytes + 1, ' '), "")),
             contains("its header takes 33554433 bytes") && contains("at most 33554432"));
  CHECK_THAT(error_of([] { (void)safetensors_names("/dev/null"); }),
             contains("is not a regular file"));
  CHECK_THAT(error_of([] { (void)safetensors_names(scratch("folder")); }),
             contains("is not a regular file"));
}
