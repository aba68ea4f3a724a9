// SPDX-License-Identifier: Apache-2.0
// Which tiles of outputs the registers of an array can take.
#pragma once

#include <cstdint>
#include <vector>

#include "arch/spec/fabric_spec.hpp"

namespace lacuna {

struct ArrayTile {
  std::uint64_t rows, columns;
};

/// Widths that make different numbers of tiles of `count` pieces: for each number the narrowest.
[[nodiscard]] std::vector<std::uint64_t> distinct_widths(std::uint64_t count);

/// For `n` columns, widest first: fewer columns than the RF has room for let an operand stay in the
/// buffer. Narrower than `least` only where nothing else is.
[[nodiscard]] std::vector<ArrayTile> array_tiles(const FabricSpec& spec,
                                                 const FabricMappingChoice* given, std::uint64_t n,
                                                 std::uint64_t least);

}  // namespace lacuna
