// SPDX-License-Identifier: Apache-2.0
#include "sparse_formats/reference_product.hpp"

#include <cmath>

#include "base/error.hpp"
#include "base/random.hpp"
#include "sparse_formats/matrix_file.hpp"
#include "tests/catch.hpp"

using namespace lacuna;

namespace {

CsrMatrix random_matrix(RandomStream& random, Coordinate rows, Coordinate cols, bool pattern) {
  std::vector<Entry> entries;
  const std::uint64_t cells = std::uint64_t{rows} * cols;
  for (const std::uint64_t key : random.sample(cells, random.below(cells + 1))) {
    entries.push_back({static_cast<Coordinate>(key / cols), static_cast<Coordinate>(key % cols),
                       random.normal()});
  }
  return from_entries(rows, cols, entries, pattern);
}

double at(const CsrMatrix& matrix, Coordinate row, Coordinate col, bool& stored) {
  const auto cols = matrix.cols_of(row);
  const auto found = std::lower_bound(cols.begin(), cols.end(), col);
  stored = found != cols.end() && *found == col;
  if (!stored) return 0;
  const auto i = static_cast<std::size_t>(found - cols.begin());
  return matrix.values.empty() ? 1.0 : matrix.values_of(row)[i];
}

}  // namespace

TEST_CASE("product and counts agree with the triple loop") {
  RandomStream random(5, "product");
  for (int trial = 0; trial < 60; ++trial) {
    const auto m = static_cast<Coordinate>(1 + random.below(12));
    const auto k = static_cast<Coordinate>(1 + random.below(12));
    const auto n = static_cast<Coordinate>(1 + random.below(12));
    const CsrMatrix a = random_matrix(random, m, k, trial % 2 == 0);
    const CsrMatrix b = random_matrix(random, k, n, trial % 3 == 0);
    const SpgemmCounts counts = spgemm_counts(a, b);
    const CsrMatrix z = reference_product(a, b);
    z.validate();
    CHECK(z.nnz() == counts.nnz);
    std::uint64_t multiplies = 0;
    for (Coordinate i = 0; i < m; ++i) {
      for (Coordinate j = 0; j < n; ++j) {
        double sum = 0;
        bool reached = false;
        for (Coordinate x = 0; x < k; ++x) {
          bool left = false;
          bool right = false;
          const double term = at(a, i, x, left) * at(b, x, j, right);
          if (!left || !right) continue;
          ++multiplies;
          reached = true;
          sum += term;
        }
        bool stored = false;
        CHECK(std::abs(at(z, i, j, stored) - sum) < 1e-12);
        CHECK(stored == reached);
      }
    }
    CHECK(counts.multiplies == multiplies);
  }
}

TEST_CASE("a product that cancels keeps its place, and shapes must fit") {
  const CsrMatrix a = from_entries(1, 2, {{0, 0, 1}, {0, 1, 1}}, false);
  const CsrMatrix b = from_entries(2, 1, {{0, 0, 2}, {1, 0, -2}}, false);
  CHECK(reference_product(a, b).nnz() == 1);
  CHECK(reference_product(a, b).values[0] == 0.0);
  CHECK_THROWS_AS(reference_product(a, a), InputError);
  CHECK_THROWS_AS(spgemm_counts(a, a), InputError);
}

TEST_CASE("the supplied matrices have their published sizes and product counts") {
  LACUNA_NEEDS_SHARED();
  struct Fact {
    std::string name;
    Coordinate rows, cols;
    std::uint64_t nnz, multiplies, product_nnz;  // the last two 0: not square
  };
  const std::vector<Fact> facts{
      {"Groebner_id2003_aug", 4967, 2456, 173670, 0, 0},
      {"bcsstk18", 11948, 11948, 149090, 2554954, 713208},
      {"bcsstk29", 13992, 13992, 619488, 30850506, 1965686},
      {"ca-CondMat", 23133, 23133, 186936, 4127524, 2355437},
      {"cage10", 11397, 11397, 150645, 2172087, 942575},
      {"cari", 400, 1200, 152800, 0, 0},
      {"cit-HepPh", 34546, 34546, 421578, 6550654, 3713328},
      {"ct2010", 67578, 67578, 336352, 2244998, 1475292},
      {"delaunay_n16", 65536, 65536, 393150, 2478510, 1359028},
      {"ego-facebook", 4039, 4039, 176468, 18806166, 2896485},
      {"email-Enron", 36692, 36692, 367662, 51501448, 30492154},
      {"finan512", 74752, 74752, 596992, 7713792, 4597248},
      {"graphchallenge_dnn_n1024-l1", 1024, 1024, 32768, 1048576, 49152},
      {"memplus", 17758, 17758, 126150, 9518740, 5121784},
      {"nasa4704", 4704, 4704, 104756, 2528934, 361492},
      {"p2p-Gnutella08", 6301, 6301, 20777, 94194, 89625},
      {"p2p-Gnutella31", 62586, 62586, 147892, 538318, 537601},
      {"rajat01", 6833, 6833, 43250, 5373531, 4686910},
      {"soc-Epinions1", 75888, 75888, 508837, 39924100, 20580980},
      {"sx-mathoverflow", 24818, 24818, 239978, 36877724, 18607884},
      {"tols4000", 4000, 4000, 8784, 51310, 18266},
      {"wiki-Vote", 8297, 8297, 103689, 4542805, 1831112},
  };
  const auto folder = lacuna::test::shared_data() / "matrices";
  for (const Fact& fact : facts) {
    INFO(fact.name);
    const CsrMatrix matrix = load_matrix(folder / (fact.name + ".mtx.gz"));
    matrix.validate();
    CHECK(matrix.rows == fact.rows);
    CHECK(matrix.cols == fact.cols);
    CHECK(matrix.nnz() == fact.nnz);
    if (fact.multiplies == 0) continue;
    const SpgemmCounts counts = spgemm_counts(matrix, matrix);
    CHECK(counts.multiplies == fact.multiplies);
    CHECK(counts.nnz == fact.product_nnz);
    if (fact.multiplies < 3000000) {
      CHECK(reference_product(matrix, matrix).nnz() == fact.product_nnz);
    }
  }
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".gz") ++files;
  }
  CHECK(files == facts.size());
}
