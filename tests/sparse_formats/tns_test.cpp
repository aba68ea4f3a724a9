// SPDX-License-Identifier: Apache-2.0
#include "sparse_formats/tns.hpp"

#include "base/file.hpp"
#include "tests/catch.hpp"

using namespace lacuna;

namespace {

std::string refusal_of(const std::string& text) {
  return test::error_of([&] { (void)parse_tns(text, "t.tns"); });
}

}  // namespace

TEST_CASE("a tensor's nonzeros are read with their coordinates counted from zero") {
  const SparseTensor tensor =
      parse_tns("# comment\n\n1 2 3 0.5\n 4 1 1\t-2e1\n% other\n2 2 2 0", "t");
  CHECK(tensor.shape == std::vector<std::uint64_t>{4, 2, 3});
  CHECK(tensor.coordinates == std::vector<Coordinate>{0, 1, 2, 3, 0, 0, 1, 1, 1});
  CHECK(tensor.values == std::vector<double>{0.5, -20, 0});
  CHECK(tensor.nnz() == 3);
}

TEST_CASE("a tensor in a file is read plain and compressed") {
  const auto folder = test::scratch("tns");
  for (const char* name : {"t.tns", "t.tns.gz"}) {
    const auto file = folder / name;
    write_file(file, "3 1 4 0.5\n1 5 9 1\n");
    CHECK(is_tns(file));
    CHECK(read_tns(file).shape == std::vector<std::uint64_t>{3, 5, 9});
  }
  CHECK_FALSE(is_tns("matrix.mtx.gz"));
}

TEST_CASE("what is no tensor is refused with its line") {
  const auto says = [](const std::string& text, const std::string& part) {
    CHECK_THAT(refusal_of(text), test::contains(part));
  };
  says("", "there is no entry");
  says("# nothing\n", "there is no entry");
  says("1 2\n", "2 numbers");
  says("1 2 3 4 5 6 7 8 9 0.5\n", "10 numbers");
  says("1 1 1 0.5\n1 1 0.5\n", "t.tns:2");
  says("1 1 1 0.5\n0 1 1 0.5\n", "'0' is no coordinate of rank 1");
  says("1 1 1 0.5\n1 1 300000000 0.5\n", "no coordinate of rank 3");
  says("1 1 1 0.5\n1 1 1 x\n", "t.tns:2");
  says("1 1 1 nan\n", "is no value");
  says("1 1 1 0.5\n1 1 1 1 1\n", "t.tns:2");
}
