// SPDX-License-Identifier: Apache-2.0
#include "sparse_formats/csr.hpp"

#include <algorithm>
#include <utility>

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/large_array.hpp"
#include "base/random.hpp"

namespace lacuna {
namespace {

/// Counting sort by row: stable, so equal coordinates keep the order they came in. What came in the
/// order of rows is there already.
void scatter_by_row(CsrMatrix& matrix, Triples triples) {
  const std::size_t count = triples.rows.size();
  LACUNA_CHECK(
      triples.cols.size() == count && (triples.values.empty() || triples.values.size() == count),
      "{} rows, {} columns, {} values", count, triples.cols.size(), triples.values.size());
  matrix.offsets.assign(std::size_t{matrix.rows} + 1, 0);
  bool in_order = true;
  Coordinate before = 0;
  for (const Coordinate row : triples.rows) {
    LACUNA_CHECK(row < matrix.rows, "row {} of {}", row, matrix.rows);
    ++matrix.offsets[std::size_t{row} + 1];
    in_order = in_order && before <= row;
    before = row;
  }
  for (std::size_t r = 0; r < matrix.rows; ++r) matrix.offsets[r + 1] += matrix.offsets[r];
  for (const Coordinate col : triples.cols) {
    LACUNA_CHECK(col < matrix.cols, "column {} of {}", col, matrix.cols);
  }
  if (in_order) {
    matrix.columns = std::move(triples.cols);
    matrix.values = std::move(triples.values);
    return;
  }
  resize_large(matrix.columns, count);
  resize_large(matrix.values, triples.values.size());
  std::vector<std::uint64_t> next(matrix.offsets.begin(), matrix.offsets.end() - 1);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t at = next[triples.rows[i]]++;
    matrix.columns[at] = triples.cols[i];
    if (!triples.values.empty()) matrix.values[at] = triples.values[i];
  }
}

/// Sorts nonzeros [begin, end) by column, keeping the order of duplicates; most files come sorted.
void sort_range(CsrMatrix& matrix, std::uint64_t begin, std::uint64_t end,
                std::vector<std::pair<Coordinate, double>>& scratch) {
  Coordinate* const first = matrix.columns.data() + begin;
  Coordinate* const last = matrix.columns.data() + end;
  if (std::is_sorted(first, last)) return;
  if (matrix.values.empty()) {
    std::sort(first, last);
    return;
  }
  scratch.clear();
  for (std::uint64_t i = begin; i < end; ++i) {
    scratch.emplace_back(matrix.columns[i], matrix.values[i]);
  }
  std::stable_sort(scratch.begin(), scratch.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  for (std::uint64_t i = begin; i < end; ++i) {
    matrix.columns[i] = scratch[i - begin].first;
    matrix.values[i] = scratch[i - begin].second;
  }
}

/// Moves the sorted nonzeros [begin, end) to `to` <= begin, summing duplicates; returns their end.
std::uint64_t merge_range(CsrMatrix& matrix, std::uint64_t begin, std::uint64_t end,
                          std::uint64_t to) {
  const std::uint64_t start = to;
  for (std::uint64_t i = begin; i < end; ++i) {
    const bool duplicate = to > start && matrix.columns[to - 1] == matrix.columns[i];
    if (!duplicate) {
      matrix.columns[to] = matrix.columns[i];
      if (!matrix.values.empty()) matrix.values[to] = matrix.values[i];
      ++to;
    } else if (!matrix.values.empty()) {
      matrix.values[to - 1] += matrix.values[i];
    }
  }
  return to;
}

}  // namespace

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
  Triples triples;
  triples.rows.reserve(entries.size());
  triples.cols.reserve(entries.size());
  if (!pattern) triples.values.reserve(entries.size());
  for (const Entry& entry : entries) {
    triples.rows.push_back(entry.row);
    triples.cols.push_back(entry.col);
    if (!pattern) triples.values.push_back(entry.value);
  }
  entries = {};
  return from_triples(rows, cols, std::move(triples));
}

CsrMatrix from_triples(Coordinate rows, Coordinate cols, Triples triples) {
  CsrMatrix matrix;
  matrix.rows = rows;
  matrix.cols = cols;
  scatter_by_row(matrix, std::move(triples));
  std::uint64_t kept = 0;
  std::uint64_t begin = 0;
  std::vector<std::pair<Coordinate, double>> scratch;
  for (Coordinate row = 0; row < rows; ++row) {
    stop_if_requested();
    const std::uint64_t end = matrix.offsets[std::size_t{row} + 1];
    sort_range(matrix, begin, end, scratch);
    matrix.offsets[row] = kept;
    kept = merge_range(matrix, begin, end, kept);
    begin = end;
  }
  matrix.offsets[rows] = kept;
  matrix.columns.resize(kept);
  if (!matrix.values.empty()) matrix.values.resize(kept);
  return matrix;
}

void drop_zeros(CsrMatrix& matrix) {
  if (matrix.values.empty()) return;
  std::uint64_t kept = 0;
  std::uint64_t begin = 0;
  for (Coordinate row = 0; row < matrix.rows; ++row) {
    stop_if_requested();
    const std::uint64_t end = matrix.offsets[std::size_t{row} + 1];
    matrix.offsets[row] = kept;
    for (std::uint64_t i = begin; i < end; ++i) {
      if (matrix.values[i] == 0.0) continue;
      matrix.columns[kept] = matrix.columns[i];
      matrix.values[kept++] = matrix.values[i];
    }
    begin = end;
  }
  matrix.offsets[matrix.rows] = kept;
  matrix.columns.resize(kept);
  matrix.values.resize(kept);
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
    stop_if_requested();
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
