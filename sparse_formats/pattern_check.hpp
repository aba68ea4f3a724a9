// SPDX-License-Identifier: Apache-2.0
// Does a tensor obey a pattern, and where does it first not?
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "sparse_formats/pattern.hpp"
#include "sparse_formats/pattern_bits.hpp"
#include "sparse_formats/pattern_occupancy.hpp"

namespace lacuna {

/// What to ask of the positions at the end of a fiber that do not fill a whole group.
enum class Tail {
  padded,  // they are a group filled up with zeros: what hardware sees once K is padded
  exempt,  // nothing: pruners keep them whole
};

/// The first place that breaks a rule. `fiber` is the row (the column for Axis::along_column),
/// `group` counts the groups of this rank along the fiber, `position` is where the group starts.
/// For block the fiber is the row of blocks and the group the block in it; for channel and uniform
/// they locate the first channel or nonzero in excess.
struct Violation {
  std::uint64_t fiber = 0;
  std::uint64_t group = 0;
  std::uint64_t position = 0;
  std::uint32_t rank = 0;
  std::uint64_t found = 0;
  std::uint64_t allowed = 0;
  /// "row 3, group 7 of rank 0 (k = 28..31): 3 non-zeros, at most 2 allowed".
  std::string text;
};

/// Nothing when the occupancy obeys the pattern. "First" is the smallest fiber, then the smallest
/// position of the outermost group, then the innermost rank. Rules say "at most": a pattern with
/// fewer nonzeros obeys. uniform, block and channel allow share_of() of all positions, blocks or k.
[[nodiscard]] std::optional<Violation> first_violation(const Pattern& pattern,
                                                       const BitMatrix& occupancy,
                                                       Axis axis = Axis::along_row,
                                                       Tail tail = Tail::padded);

/// The sparsest member of the menu whose every group is satisfied (members of equal density: the
/// first), dense when there is none. It is what a machine of that menu runs the operand at: cycles
/// follow the degree, not the nonzeros.
[[nodiscard]] Pattern fitting_degree(const PatternFamily& menu, const BitMatrix& occupancy,
                                     Axis axis = Axis::along_row);

}  // namespace lacuna
