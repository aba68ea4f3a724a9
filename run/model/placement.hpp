// SPDX-License-Identifier: Apache-2.0
// Which tensors of a model's step stay in the global buffer between operations.
//
// Operations run in the order of the graph. A tensor stays on chip from its producer to its last
// consumer when it takes at most `share` of the buffer and all that stay take at most half of it.
// The operations of the attention core (per sequence, head or query) and of the routed experts (per
// expert) run instance by instance, so there one instance's part is what has to fit; under a mask
// the core runs block by block of queries as well, each with all its keys, so that scores never
// leave the chip where a block of them fits (as fused kernels do, FlashAttention arXiv 2205.14135,
// but with whole rows). Weights and
// the cache come from DRAM; keys and values that the scores have just read serve the context too
// when they fit. (A policy of ours: no published machine of this class states one.)
#pragma once

#include <vector>

#include "run/operation/products.hpp"

namespace lacuna {

struct PlacedOperation {
  OperationPlacement einsum;
  // Of an operation that is no einsum, bytes: off chip, and through the buffer.
  double dram_read = 0, dram_write = 0;
  double buffer_read = 0, buffer_write = 0;
};

inline constexpr double kOnChipShare = 0.25;  // parameter

/// Queries that a machine works on together: `scores` in the first product of the core, `values` in
/// the second.
struct QueryBlocks {
  std::uint64_t scores, values;
};

/// One entry for each vertex. `capacity` in bytes.
[[nodiscard]] std::vector<PlacedOperation> place_operations(const OperationGraph& graph,
                                                            double capacity, QueryBlocks blocks,
                                                            double share = kOnChipShare);

}  // namespace lacuna
