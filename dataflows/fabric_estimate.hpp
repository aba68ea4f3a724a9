// SPDX-License-Identifier: Apache-2.0
// How long a mapping takes on a MAC-array machine, from its sums: the mapper's estimate, which must
// rank candidates as the simulation would.
#pragma once

namespace lacuna {

/// The outer operand comes in `tiles`, each walked once for each of `walks` groups of the inner
/// one; in a walk the inner group meets the tile's `width` groups one after another.
struct FabricFlow {
  double tiles = 1, walks = 1, width = 1;
  double last_busy = 1, last_bytes = 1;  // of the last tile, as shares of a whole one
  double busy = 0;                       // cycles of arrays and port, over all
  bool resident = true;                  // the tile stays for its walks
  double tile_bytes = 0;                 // of a whole tile, fetched once
  double tile_again = 0;                 // of a whole tile, fetched again over its walks
  double inner_bytes = 0;                // of the inner operand for one tile
  double first_inner_bytes = 0;          // in addition for the first: an inner operand that stays
  double outer_spare = 0;                // room beyond a tile, in which the next can come
  double inner_spare = 0;                // likewise beyond a group of the inner operand
  double inner_room = 0;                 // of the inner operand in all
  double passing = 0;                    // bytes of one instruction of an operand that only passes
  double bytes_per_cycle = 1, latency = 0;
};

/// Cycles until the last instruction is done.
[[nodiscard]] double estimated_cycles(const FabricFlow& flow);

}  // namespace lacuna
