// SPDX-License-Identifier: Apache-2.0
// The instructions of a MAC-array run in their order, from the words and cycles of their parts.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "arch/program/fabric_program.hpp"
#include "dataflows/fabric_mapping.hpp"

namespace lacuna {

/// Output tiles m x n, K in `chunks`; tables are [tile * chunks + chunk].
struct FabricTables {
  std::uint64_t m_tiles = 0, n_tiles = 0, chunks = 0;
  std::vector<FabricWords> a,
      b;                        // of one row group / column group and chunk, as read by the arrays
  std::vector<double> cycles;   // [(m * n_tiles + n) * chunks + chunk]
  std::vector<double> z_bytes;  // [m * n_tiles + n]
  double word_bytes = 1;
  std::uint64_t m = 0, n = 0;  // rows and columns of the product
  // What passes in an instruction beside operands: operand pairs, given for each instruction or,
  // when they follow from the tile alone, for one output; words of partial sums, for one of the
  // `spill_rows` x `spill_columns` places that a tile is rounded up to.
  std::vector<double> pairs;             // [(m * n_tiles + n) * chunks + chunk], or empty
  std::vector<double> pairs_per_output;  // [chunk]
  std::vector<double> spill_words;       // [chunk]
  std::uint64_t spill_rows = 1, spill_columns = 1;
  // Expectations know no instruction from another: all of them alike.
  bool even = false;
  double even_pairs = 0, even_glb_words = 0;
  // Words that are stored and fetched, over those that are read; 0 for an operand on chip.
  double a_footprint = 1, b_footprint = 1;
};

/// Bytes of an operand, and what of them the buffer must hold.
struct FabricFootprint {
  std::uint64_t total = 0;  // fetched over the run
  std::uint64_t again = 0;  // of these, the parts of tiles that their room could not hold
  std::uint64_t tile = 0;   // most bytes that must be there together
  std::uint64_t chunk = 0;  // most bytes of one instruction
  std::uint64_t walks = 0;  // fetches of a tile or group, each of whole bytes
};

/// What the buffer makes of the tiles of B that stay, for reports.
struct FabricTileUse {
  std::uint64_t tiles = 0, overbooked = 0;
  double used = 0;                   // sum over tiles of min(1, bytes / room)
  std::vector<std::uint64_t> bytes;  // of each tile
};

/// One product, compiled: tables and mapping, and what follows from them.
class FabricSchedule {
 public:
  FabricSchedule(const FabricSpec& spec, FabricTables tables, const FabricMapping& mapping);

  [[nodiscard]] const FabricFootprint& a() const { return a_; }
  [[nodiscard]] const FabricFootprint& b() const { return b_; }
  [[nodiscard]] const FabricTables& tables() const { return tables_; }
  [[nodiscard]] const FabricTileUse& use() const { return use_; }
  [[nodiscard]] std::uint64_t z_bytes() const { return z_bytes_; }
  [[nodiscard]] std::uint64_t instructions() const { return tables_.cycles.size(); }
  /// Every instruction once, positions from zero.
  [[nodiscard]] std::function<bool(FabricStep&)> walk() const;

 private:
  friend class Walker;
  FabricTables tables_;
  FabricMapping mapping_;
  struct Layout;
  // The operand of the outer loop comes in tiles of several groups, the other group by group.
  [[nodiscard]] const Layout& outer() const { return mapping_.a_outer ? *a_layout_ : *b_layout_; }
  [[nodiscard]] const Layout& inner() const { return mapping_.a_outer ? *b_layout_ : *a_layout_; }
  void lay_out_tiles(const FabricSpec& spec);
  void lay_out_groups(const FabricSpec& spec);

  std::shared_ptr<const Layout> a_layout_, b_layout_;
  std::uint64_t width_ = 1;                    // groups in a tile of the outer operand
  std::vector<std::uint64_t> tile_resident_;   // head that stays, of each tile's bytes
  std::vector<std::uint64_t> group_resident_;  // of each group of the inner operand
  FabricFootprint a_, b_;
  FabricTileUse use_;
  std::uint64_t z_bytes_ = 0;
};

struct ScheduledProduct {
  std::shared_ptr<const FabricSchedule> schedule;
  std::uint64_t times = 1;
};

/// Bytes of the buffer that the products need at least, of A and of B.
[[nodiscard]] std::pair<std::uint64_t, std::uint64_t> needed_bytes(
    const std::vector<ScheduledProduct>& products);

/// The products one after another. `capacity` is shared: each operand gets what it must hold
/// (together no more than `capacity`), and B's next tile or A's next rows take what is left.
[[nodiscard]] FabricProgram make_program(std::vector<ScheduledProduct> products,
                                         std::uint64_t capacity);

}  // namespace lacuna
