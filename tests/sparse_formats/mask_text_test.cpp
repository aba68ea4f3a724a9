// SPDX-License-Identifier: Apache-2.0
#include "sparse_formats/mask_text.hpp"
#include "tests/catch.hpp"

using namespace lacuna;
using lacuna::test::contains;
using lacuna::test::error_of;

TEST_CASE("a mask is its digits, row by row") {
  const CsrMatrix mask = parse_mask_text("101001", 3, "m.txt");
  CHECK(mask.rows == 2);
  CHECK(mask.cols == 3);
  CHECK(mask.offsets == std::vector<std::uint64_t>{0, 2, 3});
  CHECK(mask.columns == std::vector<Coordinate>{0, 2, 2});
  CHECK(parse_mask_text("1 0 1,\n0,0 1\r\n", 3, "m.txt").columns == mask.columns);
}

TEST_CASE("without a number of columns a line is a row") {
  const CsrMatrix mask = parse_mask_text("0 1 1\n1 0 0\n\n0 0 0", 0, "m.txt");
  CHECK(mask.rows == 3);
  CHECK(mask.cols == 3);
  CHECK(mask.columns == std::vector<Coordinate>{1, 2, 0});
}

TEST_CASE("a mask that is none is refused where it goes wrong") {
  const auto refusal = [](const char* text, std::uint64_t columns) {
    return error_of([&] { (void)parse_mask_text(text, columns, "m.txt"); });
  };
  CHECK_THAT(refusal("01\n02\n", 2), contains("m.txt:2: a character that is neither 0 nor 1"));
  CHECK_THAT(refusal("01\n011\n", 0), contains("m.txt:2: a row of more than 2 columns"));
  CHECK_THAT(refusal("011\n01\n", 0), contains("a row of 2 columns, the first has 3"));
  CHECK_THAT(refusal("01101", 2), contains("the last row has 1 of 2 columns"));
  CHECK_THAT(refusal(" \n", 2), contains("no digits"));
  CHECK_THAT(refusal("", 0), contains("no digits"));
  CHECK_THAT(refusal("01", 1'000'000'000'000), contains("columns"));
}
