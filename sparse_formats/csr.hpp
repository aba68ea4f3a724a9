// SPDX-License-Identifier: Apache-2.0
// Compressed sparse rows: the explicit occupancy of a matrix, with or without values.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace lacuna {

using Coordinate = std::uint32_t;

/// rows x cols; row r holds columns cols_of(r), strictly ascending. `values` is empty (a pattern)
/// or holds one value per stored nonzero. Invariants are established by from_entries() and by
/// readers; validate() checks them.
struct CsrMatrix {
  Coordinate rows = 0;
  Coordinate cols = 0;
  std::vector<std::uint64_t> offsets{0};  // rows + 1
  std::vector<Coordinate> columns;
  std::vector<double> values;

  [[nodiscard]] std::uint64_t nnz() const { return columns.size(); }
  [[nodiscard]] bool has_values() const { return !values.empty() || columns.empty(); }
  [[nodiscard]] std::span<const Coordinate> cols_of(Coordinate row) const {
    return {columns.data() + offsets[row], columns.data() + offsets[row + 1]};
  }
  [[nodiscard]] std::span<const double> values_of(Coordinate row) const {
    return {values.data() + offsets[row], values.data() + offsets[row + 1]};
  }
  [[nodiscard]] double density() const;
  /// Throws ModelError when an invariant does not hold.
  void validate() const;
};

/// One nonzero while a matrix is being put together.
struct Entry {
  Coordinate row;
  Coordinate col;
  double value;
};

/// Sorts and sums duplicates. With `pattern` the values are dropped. Stored zeros stay (they occupy
/// storage and move); a duplicate sum of zero stays too.
[[nodiscard]] CsrMatrix from_entries(Coordinate rows, Coordinate cols, std::vector<Entry> entries,
                                     bool pattern);

/// Nonzeros as three columns, in any order; `values` is empty (a pattern) or as long as the others.
struct Triples {
  std::vector<Coordinate> rows;
  std::vector<Coordinate> cols;
  std::vector<double> values;
};

/// The same as from_entries(), linear in the input when each row's columns come in order, and with
/// less memory on the way. Every coordinate must be inside the matrix.
[[nodiscard]] CsrMatrix from_triples(Coordinate rows, Coordinate cols, Triples triples);
/// Removes stored zeros; a pattern is left as it is.
void drop_zeros(CsrMatrix& matrix);
[[nodiscard]] CsrMatrix transpose(const CsrMatrix& matrix);
/// Values drawn uniformly from [-1, 1) without zero, a function of (seed, name, position) alone:
/// for functional checks of patterns that come without values.
void fill_values(CsrMatrix& matrix, std::uint64_t seed, const std::string& name);

}  // namespace lacuna
