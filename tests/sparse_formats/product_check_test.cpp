// SPDX-License-Identifier: Apache-2.0
// Does a wrong product fail the check wherever it is wrong, and a right one pass?
#include "sparse_formats/product_check.hpp"

#include <limits>

#include "base/random.hpp"
#include "sparse_formats/reference_product.hpp"
#include "tests/catch.hpp"

using namespace lacuna;
using lacuna::test::contains;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

CsrMatrix random_operand(Coordinate rows, Coordinate cols, std::uint64_t seed) {
  RandomStream random(seed, "operand");
  std::vector<Entry> entries;
  for (Coordinate r = 0; r < rows; ++r) {
    for (Coordinate c = 0; c < cols; ++c) {
      if (random.below(3) == 0) entries.push_back({r, c, 2 * random.uniform() - 1});
    }
  }
  return from_entries(rows, cols, std::move(entries), false);
}

std::vector<double> spread(const CsrMatrix& z) {
  std::vector<double> all(std::size_t{z.rows} * z.cols, 0.0);
  for (Coordinate r = 0; r < z.rows; ++r) {
    for (std::size_t i = 0; i < z.cols_of(r).size(); ++i) {
      all[std::size_t{r} * z.cols + z.cols_of(r)[i]] = z.values_of(r)[i];
    }
  }
  return all;
}

struct Product {
  CsrMatrix a = random_operand(9, 11, 1), b = random_operand(11, 7, 2);
  CsrMatrix z = reference_product(a, b);
};

}  // namespace

TEST_CASE("the reference product passes its own check, as rows and with every place") {
  const Product p;
  CHECK(check_product(p.z, p.a, p.b).passed);
  CHECK(check_product(spread(p.z), p.a, p.b).passed);
  CHECK(check_product(p.z, p.a, p.b).max_relative_error == 0);
}

TEST_CASE("fault: a product that holds NaN or infinity at any one place does not pass the check") {
  for (const double value : {kNan, kInfinity, -kInfinity}) {
    Product p;
    for (std::size_t i = 0; i < p.z.values.size(); ++i) {
      CsrMatrix wrong = p.z;
      wrong.values[i] = value;
      const ProductCheck check = check_product(wrong, p.a, p.b);
      CHECK_FALSE(check.passed);
      CHECK(check.max_relative_error == 1);
      CHECK_THAT(check.problem, contains("row "));
      CHECK_FALSE(check_product(spread(wrong), p.a, p.b).passed);
    }
  }
}

TEST_CASE(
    "fault: operands whose product overflows do not pass the check, though both sides agree") {
  const CsrMatrix huge = from_entries(2, 2, {{0, 1, 1e200}, {1, 1, 1e200}}, false);
  const ProductCheck check = check_product(reference_product(huge, huge), huge, huge);
  CHECK_FALSE(check.passed);
  CHECK_THAT(check.problem, contains("row 0, column 1 is inf"));
  CHECK_THAT(check.problem, contains("cannot be compared"));
  const CsrMatrix summed = from_entries(1, 1, {{0, 0, 1.7e308}, {0, 0, 1.7e308}}, false);
  CHECK_FALSE(check_product(reference_product(summed, summed), summed, summed).passed);
}

TEST_CASE("an entry that is small beside the largest is checked as strictly as that") {
  const CsrMatrix a = from_entries(2, 2, {{0, 0, 1e12}, {1, 1, 1.0}}, false);
  CsrMatrix z = reference_product(a, a);
  z.values[1] = 1.5;  // 5e-25 of the largest
  const ProductCheck check = check_product(z, a, a);
  CHECK_FALSE(check.passed);
  CHECK(check.problem == "row 1, column 1 is 1.5 instead of 1");
}

TEST_CASE("a nonzero in another place, and a value where no product reaches, do not pass") {
  Product p;
  CsrMatrix moved = p.z;
  moved.columns[0] = moved.columns[0] == 0 ? 1 : 0;
  CHECK_FALSE(check_product(moved, p.a, p.b).passed);
  const CsrMatrix diagonal = from_entries(2, 2, {{0, 0, 1.0}, {1, 1, 1.0}}, false);
  CHECK_FALSE(check_product(std::vector<double>{1, 1e-30, 0, 1}, diagonal, diagonal).passed);
}

TEST_CASE("sums that cancel may be off by rounding, and no more") {
  const CsrMatrix a = from_entries(1, 3, {{0, 0, 1e9}, {0, 1, -1e9}, {0, 2, 1.0}}, false);
  const CsrMatrix b = from_entries(3, 1, {{0, 0, 1.0}, {1, 0, 1.0}, {2, 0, 1.0}}, false);
  CsrMatrix z = reference_product(a, b);
  z.values[0] = 1 + 1e-3;
  CHECK(check_product(z, a, b).passed);
  z.values[0] = 1 + 10;
  CHECK_FALSE(check_product(z, a, b).passed);
}
