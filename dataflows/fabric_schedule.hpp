// SPDX-License-Identifier: Apache-2.0
// The instructions of a MAC-array run in their order, from the words and cycles of their parts.
#pragma once

#include <cstdint>
#include <vector>

#include "arch/program/fabric_program.hpp"
#include "dataflows/fabric_mapping.hpp"

namespace lacuna {

/// Output tiles m x n, K in `chunks`; tables are [tile * chunks + chunk].
struct FabricTables {
  std::uint64_t m_tiles = 0, n_tiles = 0, chunks = 0;
  std::vector<FabricWords> a, b;  // of one row group / column group and chunk, as stored
  std::vector<double> cycles;     // [(m * n_tiles + n) * chunks + chunk]
  std::vector<double> z_bytes;    // [m * n_tiles + n]
  double word_bytes = 1;
};

/// Bytes up to which the operand's stream is needed, and a chunk's size.
struct FabricFootprint {
  std::uint64_t total = 0;  // fetched over the run
  std::uint64_t tile = 0;   // most bytes that stay together
  std::uint64_t chunk = 0;  // most bytes of one chunk
};

[[nodiscard]] FabricFootprint a_footprint(const FabricTables& tables, const FabricMapping& mapping);
[[nodiscard]] FabricFootprint b_footprint(const FabricTables& tables, const FabricMapping& mapping);

/// `capacity` is shared: each operand gets what it must hold, and B's next tile or A's next rows
/// take what is left.
[[nodiscard]] FabricProgram make_program(FabricTables tables, const FabricMapping& mapping,
                                         std::uint64_t capacity);

}  // namespace lacuna
