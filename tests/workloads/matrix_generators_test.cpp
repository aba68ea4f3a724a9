// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "sparse_formats/reference_product.hpp"
#include "tests/catch.hpp"
#include "workloads/generators.hpp"

using namespace lacuna;
using lacuna::test::error_of;

namespace {

bool has_nonzero(const CsrMatrix& matrix, Coordinate row, Coordinate col) {
  const auto cols = matrix.cols_of(row);
  return std::binary_search(cols.begin(), cols.end(), col);
}

bool same(const CsrMatrix& a, const CsrMatrix& b) {
  return a.rows == b.rows && a.cols == b.cols && a.offsets == b.offsets && a.columns == b.columns;
}

bool is_symmetric(const CsrMatrix& matrix) {
  return same(matrix, transpose(matrix));
}

std::uint64_t longest_row(const CsrMatrix& matrix) {
  std::uint64_t longest = 0;
  for (Coordinate r = 0; r < matrix.rows; ++r) {
    longest = std::max<std::uint64_t>(longest, matrix.cols_of(r).size());
  }
  return longest;
}

}  // namespace

TEST_CASE("the triangular lattice has the published size of mc2depi for m = 1024") {
  const CsrMatrix matrix = triangular_lattice(1024);
  matrix.validate();
  CHECK(matrix.rows == 525825);
  CHECK(matrix.cols == 525825);
  CHECK(matrix.nnz() == 2100225);
}

TEST_CASE("the triangular lattice follows its rule and its closed form for every m") {
  for (const std::uint64_t m : {1U, 2U, 3U, 7U, 16U, 33U}) {
    INFO(m);
    const CsrMatrix matrix = triangular_lattice(m);
    matrix.validate();
    const std::uint64_t n = (m + 1) * (m + 2) / 2;
    CHECK(matrix.rows == n);
    CHECK(matrix.nnz() == 4 * n - 3 * (m + 1));
    CHECK(matrix.nnz() == (m + 1) * (2 * m + 1));
    CHECK(longest_row(matrix) <= 4);
    // The rule itself, from a table of states.
    std::vector<std::pair<std::uint64_t, std::uint64_t>> states;
    for (std::uint64_t j = 0; j <= m; ++j) {
      for (std::uint64_t i = 0; i + j <= m; ++i) states.emplace_back(i, j);
    }
    for (Coordinate from = 0; from < n; ++from) {
      for (Coordinate to = 0; to < n; ++to) {
        const auto [i, j] = states[from];
        const auto [x, y] = states[to];
        const bool infection = x + 1 == i && y == j + 1;
        const bool recovery = x == i && y + 1 == j;
        const bool immunity_lost = x == i + 1 && y == j;
        if (has_nonzero(matrix, from, to) !=
            (from == to || infection || recovery || immunity_lost)) {
          FAIL_CHECK("(" << i << ", " << j << ") -> (" << x << ", " << y << ")");
        }
        if (from != to && has_nonzero(matrix, from, to)) CHECK_FALSE(has_nonzero(matrix, to, from));
      }
    }
  }
}

TEST_CASE("meshes have the stencil's neighbours and closed forms") {
  for (const auto& [nx, ny, nz] : {std::array<std::uint64_t, 3>{1, 1, 1},
                                   {5, 1, 1},
                                   {4, 3, 1},
                                   {1, 6, 2},
                                   {3, 4, 5},
                                   {7, 7, 7}}) {
    const CsrMatrix matrix = mesh_3d(nx, ny, nz);
    matrix.validate();
    CHECK(matrix.rows == nx * ny * nz);
    CHECK(matrix.nnz() == 7 * nx * ny * nz - 2 * (nx * ny + ny * nz + nx * nz));
    CHECK(is_symmetric(matrix));
    for (Coordinate p = 0; p < matrix.rows; ++p) {
      for (Coordinate q = 0; q < matrix.rows; ++q) {
        const auto far = [&](std::uint64_t stride, std::uint64_t extent) {
          const auto u = static_cast<std::int64_t>(p / stride % extent);
          const auto v = static_cast<std::int64_t>(q / stride % extent);
          return std::abs(u - v);
        };
        const bool near = far(1, nx) + far(nx, ny) + far(nx * ny, nz) <= 1;
        if (has_nonzero(matrix, p, q) != near) FAIL_CHECK(p << " and " << q);
      }
    }
  }
  CHECK(mesh_2d(10, 20).nnz() == 5 * 200 - 20 - 40);
  CHECK(same(mesh_2d(10, 20), mesh_3d(10, 20, 1)));
}

TEST_CASE("a uniform matrix has exactly its density, anywhere, and repeats with its seed") {
  for (const double density : {0.0, 0.001, 0.1, 0.5, 0.75, 0.999, 1.0}) {
    const CsrMatrix matrix = uniform_matrix(90, 110, density, 7);
    matrix.validate();
    CHECK(matrix.rows == 90);
    CHECK(matrix.cols == 110);
    CHECK(matrix.nnz() == static_cast<std::uint64_t>(std::round(density * 9900)));
    CHECK(same(matrix, uniform_matrix(90, 110, density, 7)));
  }
  CHECK_FALSE(same(uniform_matrix(90, 110, 0.1, 7), uniform_matrix(90, 110, 0.1, 8)));
  // Every quarter gets its share: 4 standard deviations of a hypergeometric count.
  for (const double density : {0.2, 0.8}) {
    const CsrMatrix matrix = uniform_matrix(400, 400, density, 1);
    std::uint64_t quarter = 0;
    for (Coordinate r = 0; r < 200; ++r) {
      for (const Coordinate c : matrix.cols_of(r)) quarter += c < 200 ? 1U : 0U;
    }
    const double expected = 40000 * density;
    CHECK(std::abs(static_cast<double>(quarter) - expected) < 4 * std::sqrt(expected * 0.75));
  }
}

TEST_CASE("a banded matrix stays in its band and always has its diagonal") {
  const CsrMatrix full = banded_matrix(50, 4, 1.0, 1);
  CHECK(full.nnz() == 50 * 9 - 4 * 5);
  CHECK(banded_matrix(5, 100, 1.0, 1).nnz() == 25);
  CHECK(banded_matrix(50, 4, 0.0, 1).nnz() == 50);
  const CsrMatrix matrix = banded_matrix(2000, 10, 0.3, 9);
  matrix.validate();
  for (Coordinate r = 0; r < matrix.rows; ++r) {
    CHECK(has_nonzero(matrix, r, r));
    CHECK(std::max(r, matrix.cols_of(r).front()) - matrix.cols_of(r).front() <= 10);
    CHECK(matrix.cols_of(r).back() <= r + 10);
  }
  const double off_diagonal = 2000.0 * 20 - 10 * 11;
  CHECK(std::abs(static_cast<double>(matrix.nnz()) - 2000 - 0.3 * off_diagonal) <
        4 * std::sqrt(off_diagonal * 0.21));
  CHECK(same(matrix, banded_matrix(2000, 10, 0.3, 9)));
  CHECK_FALSE(same(matrix, banded_matrix(2000, 10, 0.3, 10)));
}

TEST_CASE("a block diagonal matrix has its nonzeros in its blocks, equally many in each") {
  const CsrMatrix matrix = block_diagonal(6, 10, 0.25, 2);
  matrix.validate();
  CHECK(matrix.rows == 60);
  CHECK(matrix.nnz() == 6 * 25);
  for (Coordinate block = 0; block < 6; ++block) {
    CHECK(matrix.offsets[std::size_t{block + 1} * 10] == (std::uint64_t{block} + 1) * 25);
  }
  for (Coordinate r = 0; r < 60; ++r) {
    for (const Coordinate c : matrix.cols_of(r)) CHECK(c / 10 == r / 10);
  }
  CHECK(block_diagonal(3, 4, 1.0, 1).nnz() == 48);
}

TEST_CASE("R-MAT has exactly the edges asked for and a heavy tail") {
  RmatParameters p;
  p.rows = 4096;
  p.edges = 65536;
  const CsrMatrix matrix = rmat(p);
  matrix.validate();
  CHECK(matrix.rows == 4096);
  CHECK(matrix.nnz() == 65536);
  CHECK(same(matrix, rmat(p)));
  CHECK(longest_row(matrix) > 20 * 16);  // mean 16
  p.seed = 2;
  CHECK_FALSE(same(matrix, rmat(p)));
  p.a = p.b = p.c = p.d = 0.25;
  CHECK(longest_row(rmat(p)) < 60);
  // All weight in one quarter of every quarter: a single place.
  p = {};
  p.rows = 16;
  p.edges = 1;
  p.permuted = false;
  p.a = p.b = p.c = 0;
  p.d = 1;
  CHECK(has_nonzero(rmat(p), 15, 15));
  p.edges = 2;
  CHECK(error_of([&] { (void)rmat(p); }).find("only 1 distinct edges of 2") != std::string::npos);
}

TEST_CASE("seeded matrices are the same on every host") {
  // Recorded once: a change here changes every result that was made from a seed.
  RmatParameters p;
  p.rows = 1024;
  p.edges = 8192;
  const CsrMatrix scale_free = rmat(p);
  CHECK(spgemm_counts(scale_free, scale_free).multiplies == 414067);
  const CsrMatrix uniform = uniform_matrix(1000, 1000, 0.01, 1);
  CHECK(spgemm_counts(uniform, uniform).multiplies == 100328);
  const CsrMatrix banded = banded_matrix(1000, 8, 0.5, 1);
  CHECK(spgemm_counts(banded, banded).multiplies == 80281);
}

TEST_CASE("the permutation of R-MAT renames vertices and nothing else") {
  RmatParameters p;
  p.rows = 256;
  p.edges = 2000;
  const CsrMatrix permuted = rmat(p);
  p.permuted = false;
  const CsrMatrix plain = rmat(p);
  CHECK_FALSE(same(permuted, plain));
  const auto lengths = [](const CsrMatrix& matrix) {
    std::vector<std::size_t> out;
    for (Coordinate r = 0; r < matrix.rows; ++r) out.push_back(matrix.cols_of(r).size());
    std::sort(out.begin(), out.end());
    return out;
  };
  CHECK(lengths(permuted) == lengths(plain));
  CHECK(lengths(transpose(permuted)) == lengths(transpose(plain)));
  CHECK(spgemm_counts(permuted, permuted).nnz == spgemm_counts(plain, plain).nnz);
}

TEST_CASE("parameters that make no sense or ask for too much are refused before memory is taken") {
  const auto refused = [](auto&& action, const std::string& part) {
    const std::string message = error_of(action);
    INFO(message);
    CHECK(message.find(part) != std::string::npos);
  };
  constexpr std::uint64_t huge = ~std::uint64_t{0};
  refused([] { (void)uniform_matrix(0, 5, 0.1, 1); }, "uniform: rows: 0 is not between 1");
  refused([] { (void)uniform_matrix(5, huge, 0.1, 1); }, "uniform: cols");
  refused([] { (void)uniform_matrix(5, 5, 1.5, 1); }, "density: 1.5 is not between 0 and 1");
  refused([] { (void)uniform_matrix(5, 5, std::nan(""), 1); }, "density");
  refused([] { (void)uniform_matrix(1 << 20, 1 << 20, 1, 1); }, "density: 1099511627776 nonzeros");
  refused([] { (void)banded_matrix(1 << 20, huge, 1, 1); }, "exceeds");
  refused([] { (void)banded_matrix(10, 1, -0.1, 1); }, "fill: -0.1");
  refused([] { (void)block_diagonal(1 << 20, 1 << 20, 0, 1); }, "exceeds");
  refused([] { (void)block_diagonal(1 << 10, 1 << 10, 1, 1); }, "exceeds");
  refused([] { (void)mesh_2d(1 << 20, 1 << 20); }, "exceeds");
  refused([] { (void)mesh_3d(5, 0, 5); }, "mesh: ny");
  refused([] { (void)triangular_lattice(1 << 20); }, "lattice");
  RmatParameters p;
  p.rows = 1000;
  refused([&] { (void)rmat(p); }, "1000 is not a power of two; 1024 is");
  p.rows = 8;
  p.edges = 65;
  refused([&] { (void)rmat(p); }, "65 edges are too many for 8 rows");
  p.edges = 8;
  p.a = 0.9;
  refused([&] { (void)rmat(p); }, "they sum to");
}
