// SPDX-License-Identifier: Apache-2.0
#include "sparse_formats/sparse_tensor.hpp"

namespace lacuna {

SparseTensor tensor_of(const CsrMatrix& matrix) {
  SparseTensor out;
  out.shape = {matrix.rows, matrix.cols};
  out.coordinates.reserve(2 * matrix.nnz());
  for (Coordinate row = 0; row < matrix.rows; ++row) {
    for (const Coordinate col : matrix.cols_of(row)) {
      out.coordinates.push_back(row);
      out.coordinates.push_back(col);
    }
  }
  out.values = matrix.values;
  return out;
}

}  // namespace lacuna
