// SPDX-License-Identifier: Apache-2.0
// How a product is cut into blocks for a level of buffers that clusters share: rows of A, columns
// of B, K whole, so that memory moves few bytes. The loops that pick blocks stand outside those
// that the buffers inside have chosen.
#pragma once

#include <cstdint>
#include <vector>

#include "arch/spec/fabric_spec.hpp"
#include "dataflows/fabric_mapping.hpp"
#include "dataflows/fabric_tiling.hpp"

namespace lacuna {

/// What the level holds of a product: bytes of each group of rows that the clusters take together,
/// of each group of columns.
struct SharedGroups {
  std::vector<double> a, b;
};

struct SharedShape {
  std::uint64_t a_groups = 1, b_groups = 1;  // of a block
  double bytes = 0;                          // that memory moves, by estimate
  double work_bytes = 0;                     // touched to find the shape
};

/// `machine` tells what stays of a block.
[[nodiscard]] SharedShape choose_blocks(const FabricSpec& spec, const ICostModel& machine,
                                        const FabricMapping& mapping, const SharedGroups& groups);

}  // namespace lacuna
