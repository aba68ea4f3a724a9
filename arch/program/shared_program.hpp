// SPDX-License-Identifier: Apache-2.0
// What a machine executes whose clusters of arrays, each behind a buffer of its own, stand behind
// one level of buffers that they share: products cut into blocks, one after another; in a block
// each cluster has rows of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "arch/program/array_program.hpp"

namespace lacuna {

/// What the clusters do while the shared level holds one tile of A and one of B.
struct SharedBlock {
  // Blocks that follow each other and have a tile in common find it in the level; a tile that comes
  // later again is fetched again.
  std::uint64_t a_tile = 0, b_tile = 0;
  /// For each cluster; one without operands has no rows here. All walk as many tiles as the first.
  std::vector<std::shared_ptr<const ArrayProduct>> of_cluster;
};

struct SharedProduct {
  std::vector<SharedBlock> blocks;
  std::uint64_t times = 1;
};

struct SharedProgram {
  std::vector<SharedProduct> products;
  /// The parts of each cluster's program are the blocks of all products in their order.
  std::vector<ArrayProgram> clusters;
};

}  // namespace lacuna
