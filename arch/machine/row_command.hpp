// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include "arch/program/tile_program.hpp"

namespace lacuna {

/// How the stationary tile is walked: its first `resident` bytes stay, the rest comes by in every
/// walk. Offsets are bytes within the tile, positions bytes of B's stream.
struct Walk {
  std::uint64_t resident = 0;  // R; the whole tile when it fits
  std::uint64_t base = 0;      // stream position of the first byte that this walk brings
  std::uint64_t begin = 0;     // tile offset of that byte: 0 in the first walk, R afterwards
  bool last = false;           // the resident part is released at its end

  /// Stream position that must have arrived before tile offset `end` can be read.
  [[nodiscard]] std::uint64_t needed(std::uint64_t end) const {
    return end <= begin ? 0 : base + (end - begin);
  }
};

/// A decoded row instruction with the stream positions of what it uses.
struct RowCommand {
  std::shared_ptr<const StationaryTile> tile;
  RowInstruction row;
  bool new_tile = false;
  Walk walk;
  std::uint64_t a_moved = 0;  // bytes of A over all walks of the row
  std::uint64_t a_end = 0;
  std::uint64_t z_end = 0;
  std::uint64_t s_end = 0;
};

}  // namespace lacuna
