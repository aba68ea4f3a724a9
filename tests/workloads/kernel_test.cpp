// SPDX-License-Identifier: Apache-2.0
// Are the products that an einsum becomes the einsum, and is what is no product refused with the
// rank that stands in the way?
#include "workloads/kernel.hpp"

#include <map>

#include "base/random.hpp"
#include "sparse_formats/reference_product.hpp"
#include "tests/catch.hpp"

using namespace lacuna;

namespace {

SparseTensor drawn(const std::vector<std::uint64_t>& shape, double density, std::uint64_t seed) {
  RandomStream random(seed, "kernel");
  SparseTensor tensor;
  tensor.shape = shape;
  std::uint64_t places = 1;
  for (const std::uint64_t extent : shape) places *= extent;
  for (std::uint64_t at = 0; at < places; ++at) {
    if (random.uniform() >= density) continue;
    std::vector<Coordinate> coordinates(shape.size());
    std::uint64_t rest = at;
    for (std::size_t i = shape.size(); i-- > 0; rest /= shape[i]) {
      coordinates[i] = static_cast<Coordinate>(rest % shape[i]);
    }
    tensor.coordinates.insert(tensor.coordinates.end(), coordinates.begin(), coordinates.end());
    tensor.values.push_back(random.uniform() - 0.5);
  }
  return tensor;
}

/// A dense view: values by coordinates.
std::map<std::vector<Coordinate>, double> values_of(const SparseTensor& tensor) {
  std::map<std::vector<Coordinate>, double> out;
  for (std::uint64_t i = 0; i < tensor.nnz(); ++i) {
    const auto at = tensor.at(i);
    out[{at.begin(), at.end()}] += tensor.values[i];
  }
  return out;
}

std::map<std::pair<Coordinate, Coordinate>, double> product_of(const KernelSlice& slice) {
  const CsrMatrix z = reference_product(slice.a, transpose(slice.b_transposed));
  std::map<std::pair<Coordinate, Coordinate>, double> out;
  for (Coordinate row = 0; row < z.rows; ++row) {
    for (std::size_t i = 0; i < z.cols_of(row).size(); ++i) {
      out[{row, z.cols_of(row)[i]}] = z.values_of(row)[i];
    }
  }
  return out;
}

std::string refusal_of(const Kernel& kernel) {
  return test::error_of([&] { (void)lower(kernel); });
}

}  // namespace

// Z[i,r] = T[i,j,k] B[j,r] C[k,r], summed term by term.
TEST_CASE("MTTKRP is the product of the unfolded tensor with the rows that are formed") {
  const SparseTensor t = drawn({6, 5, 7}, 0.15, 1), b = drawn({5, 4}, 0.6, 2),
                     c = drawn({7, 4}, 0.7, 3);
  const auto of_b = values_of(b), of_c = values_of(c);
  std::map<std::pair<Coordinate, Coordinate>, double> expected;
  std::uint64_t multiplies = 0;
  for (const auto& [at, value] : values_of(t)) {
    for (Coordinate r = 0; r < 4; ++r) {
      const auto x = of_b.find({at[1], r}), y = of_c.find({at[2], r});
      if (x == of_b.end() || y == of_c.end()) continue;
      expected[{at[0], r}] += value * x->second * y->second;
      ++multiplies;
    }
  }
  const LoweredKernel lowered =
      lower({{"i", "r"}, {{"B", {"j", "r"}, b}, {"T", {"i", "j", "k"}, t}, {"C", {"k", "r"}, c}}});
  REQUIRE(lowered.slices.size() == 1);
  const KernelSlice& slice = lowered.slices.front();
  CHECK(slice.a.cols == 5 * 7);
  CHECK(spgemm_counts(slice.a, transpose(slice.b_transposed)).multiplies == multiplies);
  const auto product = product_of(slice);
  REQUIRE(product.size() == expected.size());
  for (const auto& [place, value] : expected) CHECK(product.at(place) == test::Approx(value));
  CHECK_THAT(lowered.notes.front(), test::contains("B*C is formed before the run"));
}

// Z[i,j,r] = T[i,j,k] B[k,r]; the vector is the case of one column.
TEST_CASE("a tensor times a matrix or a vector is a product of the unfolded tensor") {
  const SparseTensor t = drawn({4, 3, 5}, 0.3, 4), b = drawn({5, 2}, 0.8, 5),
                     v = drawn({5}, 0.8, 6);
  const LoweredKernel ttm =
      lower({{"i", "j", "r"}, {{"T", {"i", "j", "k"}, t}, {"B", {"k", "r"}, b}}});
  const LoweredKernel ttv = lower({{"i", "j"}, {{"T", {"i", "j", "k"}, t}, {"v", {"k"}, v}}});
  REQUIRE(ttm.slices.size() == 1);
  CHECK(ttm.slices.front().a.rows == 12);
  CHECK(ttm.slices.front().b_transposed.rows == 2);
  CHECK(ttv.slices.front().b_transposed.rows == 1);
  const auto of_v = values_of(v);
  std::map<std::pair<Coordinate, Coordinate>, double> expected;
  for (const auto& [at, value] : values_of(t)) {
    const auto found = of_v.find({at[2]});
    if (found != of_v.end()) expected[{at[0] * 3 + at[1], 0}] += value * found->second;
  }
  const auto product = product_of(ttv.slices.front());
  REQUIRE(product.size() == expected.size());
  for (const auto& [place, value] : expected) CHECK(product.at(place) == test::Approx(value));
}

TEST_CASE("a rank that both operands and the result have is a product for each coordinate") {
  const SparseTensor a = drawn({3, 4, 5}, 0.4, 7), b = drawn({6, 3, 5}, 0.4, 8);
  const LoweredKernel lowered =
      lower({{"b", "m", "n"}, {{"A", {"b", "m", "k"}, a}, {"B", {"n", "b", "k"}, b}}});
  REQUIRE(lowered.slices.size() == 3);
  std::uint64_t of_a = 0, of_b = 0;
  for (const KernelSlice& slice : lowered.slices) {
    CHECK(slice.a.rows == 4);
    CHECK(slice.b_transposed.rows == 6);
    of_a += slice.a.nnz();
    of_b += slice.b_transposed.nnz();
  }
  CHECK(of_a == a.nnz());
  CHECK(of_b == b.nnz());
  const CsrMatrix second = lowered.slices[1].b_transposed;
  for (const auto& [at, value] : values_of(b)) {
    if (at[1] != 1) continue;
    const auto columns = second.cols_of(at[0]);
    CHECK(std::find(columns.begin(), columns.end(), at[2]) != columns.end());
  }
}

// Z[h,m,n] = S[m,n] A[h,m,k] B[h,k,n], S written the other way round, summed term by term.
TEST_CASE("an operand with the ranks of the result samples the product of the others") {
  const SparseTensor a = drawn({2, 4, 5}, 0.6, 14), b = drawn({2, 5, 6}, 0.6, 15),
                     s = drawn({6, 4}, 0.4, 16);
  const auto of_b = values_of(b), of_s = values_of(s);
  std::vector<std::map<std::pair<Coordinate, Coordinate>, double>> expected(2);
  for (const auto& [at, value] : values_of(a)) {
    for (Coordinate n = 0; n < 6; ++n) {
      const auto x = of_b.find({at[0], at[2], n}), y = of_s.find({n, at[1]});
      if (x == of_b.end() || y == of_s.end()) continue;
      expected[at[0]][{at[1], n}] += value * x->second * y->second;
    }
  }
  const LoweredKernel lowered =
      lower({{"h", "m", "n"},
             {{"A", {"h", "m", "k"}, a}, {"S", {"n", "m"}, s}, {"B", {"h", "k", "n"}, b}}});
  REQUIRE(lowered.slices.size() == 2);
  for (std::size_t h = 0; h < 2; ++h) {
    const KernelSlice& slice = lowered.slices[h];
    REQUIRE(slice.samples.has_value());
    CHECK(slice.samples->places.nnz() == s.nnz());
    const CsrMatrix z =
        sampled(reference_product(slice.a, transpose(slice.b_transposed)), *slice.samples);
    CHECK(z.nnz() == expected[h].size());
    for (Coordinate m = 0; m < z.rows; ++m) {
      for (std::size_t i = 0; i < z.cols_of(m).size(); ++i) {
        CHECK(z.values_of(m)[i] == test::Approx(expected[h].at({m, z.cols_of(m)[i]})));
      }
    }
    const SampledCounts counts = sampled_counts(slice.a, slice.b_transposed, *slice.samples);
    CHECK(counts.outputs == z.nnz());
  }
  CHECK_THAT(lowered.notes.back(), test::contains("S samples the product"));
}

TEST_CASE("what is no product is refused with the rank that stands in the way") {
  const SparseTensor m = drawn({4, 4}, 0.9, 9), v = drawn({4}, 1, 10);
  const auto says = [](const Kernel& kernel, const std::string& part) {
    CHECK_THAT(refusal_of(kernel), test::contains(part));
  };
  says({{"m"}, {{"A", {"m", "k"}, m}, {"B", {"m"}, v}}}, "A alone has the rank k");
  says({{"m"}, {{"A", {"m"}, v}, {"B", {"m", "k"}, m}}}, "B alone has the rank k");
  says({{"m", "n"},
        {{"S", {"m", "n"}, m}, {"T", {"n", "m"}, m}, {"A", {"m", "k"}, m}, {"B", {"k", "n"}, m}}},
       "S and T both have the ranks of the result");
  says({{"m", "n"}, {{"A", {"m", "k"}, m, true}, {"B", {"k", "n"}, m}}}, "A is of ones");
  const SparseTensor cube = drawn({4, 4, 4}, 0.9, 11);
  says({{"b", "c", "m", "n"},
        {{"S", {"b", "m", "n"}, cube},
         {"A", {"b", "c", "m", "k"}, drawn({4, 4, 4, 4}, 0.5, 12)},
         {"B", {"b", "c", "n", "k"}, drawn({4, 4, 4, 4}, 0.5, 13)}}},
       "some of the ranks that make a batch, b, c");
  says({{"i", "l"}, {{"A", {"i", "j"}, m}, {"B", {"j", "k"}, m}, {"C", {"k", "l"}, m}}},
       "the rank k is contracted between operands beside A");
  const SparseTensor long_one{{1U << 20, 1U << 20, 4}, {0, 0, 0}, {1.0}};
  says({{"k"},
        {{"T", {"i", "j", "k"}, long_one}, {"B", {"i", "j"}, {{1U << 20, 1U << 20}, {0, 0}, {1}}}}},
       "the ranks i, j of T have more than");
  const SparseTensor wide{{100, 100}, {0, 0}, {1.0}};
  says({{"m", "n"}, {{"A", {"m", "n"}, wide}, {"B", {"m", "n"}, wide}}}, "make 10,000 products");
  const SparseTensor left{{2, 2}, {0, 0}, {1.0}}, right{{2, 2}, {1, 1}, {1.0}};
  says({{"b", "m"}, {{"A", {"b", "m"}, left}, {"B", {"b"}, {{2}, {1}, {1.0}}}}},
       "no product is left");
}
