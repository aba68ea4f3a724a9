// SPDX-License-Identifier: Apache-2.0
// Parts of an operand: the rows of one cluster, the rows of a block.
#pragma once

#include <cstdint>

#include "sparse_formats/occupancy.hpp"

namespace lacuna {

/// Rows that fall to one cluster when clusters take `group` rows in turn.
struct RowsInTurn {
  std::uint64_t group = 1, clusters = 1, cluster = 0;

  [[nodiscard]] std::uint64_t rows_of(std::uint64_t rows) const;
  /// Row `own` of the cluster, in the whole.
  [[nodiscard]] std::uint64_t row(std::uint64_t own) const {
    return (own / group * clusters + cluster) * group + own % group;
  }
};

/// They must not be none. Repeated occupancies stay so.
[[nodiscard]] Occupancy rows_in_turn(const Occupancy& whole, const RowsInTurn& turn);
/// Rows first .. last-1, not none.
[[nodiscard]] Occupancy rows_between(const Occupancy& whole, std::uint64_t first,
                                     std::uint64_t last);

}  // namespace lacuna
