// SPDX-License-Identifier: Apache-2.0
#include "sparse_formats/csr.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/random.hpp"

namespace lacuna {

double CsrMatrix::density() const {
  if (rows == 0 || cols == 0) return 0;
  return static_cast<double>(nnz()) / (static_cast<double>(rows) * static_cast<double>(cols));
}

void CsrMatrix::validate() const {
  LACUNA_CHECK(offsets.size() == std::size_t{rows} + 1 && offsets.front() == 0 &&
                   offsets.back() == columns.size(),
               "row offsets do not span the {} nonzeros", columns.size());
  LACUNA_CHECK(values.empty() || values.size() == columns.size(), "{} values for {} nonzeros",
               values.size(), columns.size());
  for (Coordinate row = 0; row < rows; ++row) {
    LACUNA_CHECK(offsets[row] <= offsets[row + 1], "row {} has negative length", row);
    const auto cells = cols_of(row);
    for (std::size_t i = 0; i < cells.size(); ++i) {
      LACUNA_CHECK(cells[i] < cols, "row {}: column {} of {}", row, cells[i], cols);
      LACUNA_CHECK(i == 0 || cells[i - 1] < cells[i], "row {}: columns not ascending", row);
    }
  }
}

CsrMatrix from_entries(Coordinate rows, Coordinate cols, std::vector<Entry> entries, bool pattern) {
  CsrMatrix matrix;
  matrix.rows = rows;
  matrix.cols = cols;
  matrix.offsets.assign(std::size_t{rows} + 1, 0);
  // Counting sort by row, then a sort within each row: linear in the input for most matrices.
  for (const Entry& entry : entries) ++matrix.offsets[std::size_t{entry.row} + 1];
  for (std::size_t r = 0; r < rows; ++r) matrix.offsets[r + 1] += matrix.offsets[r];
  struct Cell {
    Coordinate col;
    double value;
  };
  std::vector<Cell> cells(entries.size());
  std::vector<std::uint64_t> next(matrix.offsets.begin(), matrix.offsets.end() - 1);
  for (const Entry& entry : entries) cells[next[entry.row]++] = {entry.col, entry.value};
  entries = {};
  matrix.columns.reserve(cells.size());
  if (!pattern) matrix.values.reserve(cells.size());
  std::uint64_t begin = 0;
  for (Coordinate row = 0; row < rows; ++row) {
    const std::uint64_t end = matrix.offsets[std::size_t{row} + 1];
    const auto first = cells.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto last = cells.begin() + static_cast<std::ptrdiff_t>(end);
    if (!std::is_sorted(first, last, [](const Cell& a, const Cell& b) { return a.col < b.col; })) {
      std::stable_sort(first, last, [](const Cell& a, const Cell& b) { return a.col < b.col; });
    }
    matrix.offsets[row] = matrix.columns.size();
    for (auto cell = first; cell != last; ++cell) {
      const bool duplicate =
          matrix.columns.size() > matrix.offsets[row] && matrix.columns.back() == cell->col;
      if (!duplicate) matrix.columns.push_back(cell->col);
      if (pattern) continue;
      if (duplicate) {
        matrix.values.back() += cell->value;
      } else {
        matrix.values.push_back(cell->value);
      }
    }
    begin = end;
  }
  matrix.offsets[rows] = matrix.columns.size();
  return matrix;
}

CsrMatrix transpose(const CsrMatrix& matrix) {
  CsrMatrix out;
  out.rows = matrix.cols;
  out.cols = matrix.rows;
  out.offsets.assign(std::size_t{out.rows} + 1, 0);
  for (const Coordinate col : matrix.columns) ++out.offsets[std::size_t{col} + 1];
  for (std::size_t r = 0; r < out.rows; ++r) out.offsets[r + 1] += out.offsets[r];
  out.columns.resize(matrix.columns.size());
  out.values.resize(matrix.values.size());
  std::vector<std::uint64_t> next(out.offsets.begin(), out.offsets.end() - 1);
  for (Coordinate row = 0; row < matrix.rows; ++row) {
    for (std::uint64_t i = matrix.offsets[row]; i < matrix.offsets[row + 1]; ++i) {
      const std::uint64_t at = next[matrix.columns[i]]++;
      out.columns[at] = row;
      if (!matrix.values.empty()) out.values[at] = matrix.values[i];
    }
  }
  return out;
}

void fill_values(CsrMatrix& matrix, std::uint64_t seed, const std::string& name) {
  RandomStream random(seed, "values of " + name);
  matrix.values.resize(matrix.columns.size());
  for (double& value : matrix.values) {
    do {
      value = 2.0 * random.uniform() - 1.0;
    } while (value == 0.0);
  }
}

}  // namespace lacuna
