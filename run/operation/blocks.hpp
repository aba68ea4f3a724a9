// SPDX-License-Identifier: Apache-2.0
// Which rectangles of queries and keys a machine executes for attention under a mask.
#pragma once

#include <cstdint>
#include <vector>

#include "workloads/einsum.hpp"

namespace lacuna {

/// One block of queries against the keys that it sees; `times` over all instances.
struct MaskedBlock {
  std::uint64_t queries, keys, times;
};

/// Blocks that a masked operation is cut into at most: what lies beyond the mask in the last block
/// of keys is executed, at most one part in twice as many.
inline constexpr std::uint64_t kMostQueryBlocks = 64;

/// Queries in blocks of `columns` columns (heads that share a key count as columns too), each with
/// the keys that its last query sees; a window drops the keys that its first query does not see.
/// Where heads keep lines, each with the keys that any of its queries keeps.
[[nodiscard]] std::vector<MaskedBlock> masked_blocks(const Einsum& einsum, std::uint64_t columns);

}  // namespace lacuna
