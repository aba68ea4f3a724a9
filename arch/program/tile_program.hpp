// SPDX-License-Identifier: Apache-2.0
// The contract between a dataflow and a machine: tile instructions, a lazy stream. An instruction
// says what moves and which tiles meet; how long that takes and what it costs is the machine's
// business. Nothing here knows which algorithm produced it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "arch/program/sampled_tiles.hpp"
#include "arch/program/segment.hpp"
#include "sparse_formats/microtiles.hpp"

namespace lacuna {

/// The microtiles of one column n1 of a stationary tile, ascending in k1.
struct ColumnList {
  Coordinate n1 = 0;
  std::span<const Microtile> tiles;
  std::uint64_t first_offset = 0;  // index into StationaryTile::ends of the first microtile
};

/// What a list of them is sorted by.
inline Coordinate in_list(const ColumnList& column) {
  return column.n1;
}

/// A tile of B that stays in the last-level buffer and is walked once per row instruction.
struct StationaryTile {
  std::uint64_t id = 0;
  Coordinate n2 = 0, k2 = 0;
  Coordinate k1_first = 0, k1_last = 0;  // microtile blocks of the contracted rank
  std::vector<ColumnList> columns;       // nonempty lists only, ascending in n1
  std::vector<std::uint64_t> ends;       // bytes of the tile up to and including each microtile
  std::uint64_t bytes = 0;               // as DRAM moves it
  std::uint64_t address = 0;             // of its first byte in B as it is stored: tile by tile
};

/// One row of A microtiles against the whole stationary tile.
struct RowInstruction {
  Coordinate m1 = 0;
  std::span<const Microtile> tiles;    // A microtiles of the row within the tile's K range
  std::size_t a_first = 0, a_end = 0;  // the microtiles that take part: PassInstruction::a_segments
  std::uint64_t a_bytes = 0;           // of them
  std::uint64_t a_walks = 1;           // of the row, where it exceeds its share; otherwise 1
  /// Of the row's first output in Z as it is stored: partial outputs lie from there on, whichever
  /// of the row's they are, and of its final ones those of earlier passes before those of later
  /// ones.
  std::uint64_t z_address = 0;
  std::uint64_t z_final_address = 0;
  std::uint64_t z_read_bytes = 0;       // partial outputs that return
  std::uint64_t z_partial_bytes = 0;    // partial outputs that leave again, not final
  std::uint64_t z_final_bytes = 0;      // outputs that leave for good
  std::uint64_t multiplies = 0;         // effectual, of the whole row
  std::uint64_t z_added = 0;            // output nonzeros that this row creates
  std::uint64_t z_peb_spill_bytes = 0;  // what does not fit the PEB, written out and read back
  /// Of a sampled product: S's microtiles in the row within the tile's columns; for each the
  /// outputs that are complete after this row; and what moves of them, those that meet a column.
  std::span<const Microtile> s_tiles;
  std::vector<std::uint64_t> s_complete;
  std::vector<Segment> s_segments;
  std::uint64_t s_bytes = 0;
};

/// A row block (M2) of A against a stationary tile.
struct PassInstruction {
  Coordinate m2 = 0;
  std::shared_ptr<const StationaryTile> stationary;
  bool loads_stationary = false;  // first pass of this tile
  bool last_of_stationary = false;
  std::uint64_t k2_tries = 0;  // spent by the K2 intersection since the last stationary tile
  std::vector<RowInstruction> rows;
  std::vector<Segment> a_segments;  // of all rows, each row's in the order of moving, once
};

class TileProgram {
 public:
  virtual ~TileProgram() = default;
  /// The next instruction, or false at the end. Storage of an earlier instruction stays valid as
  /// long as its PassInstruction (or a copy) does.
  virtual bool next(PassInstruction& pass) = 0;
  [[nodiscard]] virtual const MicrotileGrid& a() const = 0;
  [[nodiscard]] virtual const MicrotileGrid& b() const = 0;
  /// The operands behind the grids, for runs that carry values. B is transposed, like its grid.
  [[nodiscard]] virtual const CsrMatrix& a_matrix() const = 0;
  [[nodiscard]] virtual const CsrMatrix& b_matrix_transposed() const = 0;
  /// What tells which outputs are computed; null: all.
  [[nodiscard]] virtual const SampledTiles* samples() const { return nullptr; }
};

}  // namespace lacuna
