// SPDX-License-Identifier: Apache-2.0
// The routed experts of one MoE layer at several batch sizes: token tiles of the worst case
// (prescient) against Swiftiles with either buffer, on `lacuna`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "run/result.hpp"

namespace lacuna {

/// Of token_tiles(), in the order of its series.
[[nodiscard]] std::vector<std::string> token_tile_strategies();

struct TokenTilePoint {
  std::size_t strategy = 0;  // index
  std::uint64_t tokens = 0;  // of the step
  OperationReport operation;
};

/// A point for each strategy, number of tokens and product of routed experts, in this order.
[[nodiscard]] std::vector<TokenTilePoint> token_tiles();

}  // namespace lacuna
