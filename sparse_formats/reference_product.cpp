// SPDX-License-Identifier: Apache-2.0
#include "sparse_formats/reference_product.hpp"

#include <Eigen/SparseCore>
#include <limits>
#include <vector>

#include "base/error.hpp"
#include "base/interrupt.hpp"

namespace lacuna {
namespace {

using EigenCsr = Eigen::SparseMatrix<double, Eigen::RowMajor, std::int64_t>;

void check_shapes(const CsrMatrix& a, const CsrMatrix& b) {
  if (a.cols == b.rows) return;
  throw InputError(
      fmt::format("cannot multiply: A is {} x {}, B is {} x {}", a.rows, a.cols, b.rows, b.cols),
      "A's columns must be as many as B's rows; A * A needs a square matrix");
}

EigenCsr to_eigen(const CsrMatrix& matrix) {
  const std::vector<std::int64_t> offsets(matrix.offsets.begin(), matrix.offsets.end());
  const std::vector<std::int64_t> columns(matrix.columns.begin(), matrix.columns.end());
  const std::vector<double> values =
      matrix.values.empty() ? std::vector<double>(columns.size(), 1.0) : matrix.values;
  return Eigen::Map<const EigenCsr>(matrix.rows, matrix.cols,
                                    static_cast<Eigen::Index>(columns.size()), offsets.data(),
                                    columns.data(), values.data());
}

}  // namespace

SpgemmCounts spgemm_counts(const CsrMatrix& a, const CsrMatrix& b) {
  check_shapes(a, b);
  SpgemmCounts counts;
  std::vector<std::uint64_t> seen_in(b.cols, std::numeric_limits<std::uint64_t>::max());
  for (Coordinate row = 0; row < a.rows; ++row) {
    stop_if_requested();
    for (const Coordinate k : a.cols_of(row)) {
      const auto fiber = b.cols_of(k);
      counts.multiplies += fiber.size();
      for (const Coordinate col : fiber) {
        if (seen_in[col] == row) continue;
        seen_in[col] = row;
        ++counts.nnz;
      }
    }
  }
  return counts;
}

CsrMatrix reference_product(const CsrMatrix& a, const CsrMatrix& b) {
  check_shapes(a, b);
  const EigenCsr product = to_eigen(a) * to_eigen(b);
  LACUNA_CHECK(product.isCompressed(), "Eigen left room in its product");
  CsrMatrix z;
  z.rows = a.rows;
  z.cols = b.cols;
  const auto nnz = product.nonZeros();
  z.offsets.assign(product.outerIndexPtr(), product.outerIndexPtr() + a.rows + 1);
  z.columns.reserve(static_cast<std::size_t>(nnz));
  for (Eigen::Index i = 0; i < nnz; ++i) {
    z.columns.push_back(static_cast<Coordinate>(product.innerIndexPtr()[i]));
  }
  z.values.assign(product.valuePtr(), product.valuePtr() + nnz);
  return z;
}

}  // namespace lacuna
