// SPDX-License-Identifier: Apache-2.0
// Where the microtiles of the moving operand (A) lie in memory: block rows one after another, of
// each row first the tuples that are read as a list of their own, if the format has such, then its
// microtiles, ascending in K.
#pragma once

#include <vector>

#include "arch/program/segment.hpp"
#include "arch/spec/machine_spec.hpp"
#include "sparse_formats/microtiles.hpp"

namespace lacuna {

class StoredRows {
 public:
  /// `grid` outlives this.
  StoredRows(const MicrotileGrid& grid, const FormatSpec& formats, Bytes burst);

  /// The next call for each row may ask for microtiles before those of the last.
  void rewind();
  /// Appends the segments of those of `tiles` that take part (nonzero at their block of K), `tiles`
  /// being part of row `m1` and not before those of the last call for it; returns their bytes.
  std::uint64_t load(Coordinate m1, std::span<const Microtile> tiles,
                     const std::vector<char>& takes_part, std::vector<Segment>& segments);

 private:
  struct Cursor {
    std::uint64_t tile = 0;    // index in the row
    std::uint64_t offset = 0;  // of that microtile, from the row's first byte
  };
  [[nodiscard]] std::uint64_t list_bytes(std::uint64_t tiles) const {
    return whole_list_ ? tiles * format_.microtile_bytes : 0;
  }

  const MicrotileGrid& grid_;
  OperandFormat format_;
  bool whole_list_;
  Bytes burst_;
  std::vector<std::uint64_t> row_;  // offset of each row
  std::vector<Cursor> at_;
};

}  // namespace lacuna
