// SPDX-License-Identifier: Apache-2.0
// The instructions of a product on MAC arrays in the order of its loops, and the tiles that they
// use.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "arch/program/array_program.hpp"
#include "dataflows/fabric_mapping.hpp"

namespace lacuna {

/// What the tiles of B that stay take of their room, for reports.
struct FabricTileUse {
  std::uint64_t tiles = 0, overbooked = 0;
  std::vector<std::uint64_t> bytes;  // of each tile
};

/// One product, compiled.
class FabricSchedule {
 public:
  /// Fills in the product's visits. `a_groups`: groups of rows that are walked, when there are more
  /// than the product has; the others are empty.
  FabricSchedule(ArrayProduct product, const FabricMapping& mapping, double word_bytes,
                 std::uint64_t a_groups = 0);

  [[nodiscard]] const std::shared_ptr<const ArrayProduct>& product() const { return product_; }
  [[nodiscard]] const FabricTileUse& use() const { return use_; }
  /// Whether all of an operand stays in what it needs at least.
  [[nodiscard]] bool a_stays() const { return a_stays_; }
  [[nodiscard]] bool b_stays() const { return b_stays_; }
  [[nodiscard]] double most_z_bytes() const;  // of one tile of outputs
  /// Every instruction once, visits from zero.
  [[nodiscard]] ArrayWalk walk() const;

 private:
  friend class Walker;
  struct Layout;
  [[nodiscard]] double z_bytes_of(std::uint64_t m, std::uint64_t n) const;
  void lay_out_tiles(const Layout& layout, TileVisits& visits);
  void lay_out_groups(const Layout& layout, TileVisits& visits) const;

  std::shared_ptr<const ArrayProduct> product_;
  FabricMapping mapping_;
  std::shared_ptr<const Layout> a_layout_, b_layout_;
  double word_bytes_;
  std::uint64_t rows_groups_ = 0;  // of A that hold rows
  std::uint64_t width_ = 1;        // groups in a tile of the outer operand
  FabricTileUse use_;
  bool a_stays_ = false, b_stays_ = false;
};

/// Its blocks one after another: one, or those of a level that clusters share.
struct ScheduledProduct {
  std::vector<std::shared_ptr<const FabricSchedule>> blocks;
  std::uint64_t times = 1;
};

/// The products one after another, each block of them a part. `capacity` is shared: each operand
/// gets what it must hold (together no more than `capacity`), and B's next tile or A's next rows
/// take what is left.
[[nodiscard]] ArrayProgram make_program(std::vector<ScheduledProduct> products,
                                        std::uint64_t capacity);

}  // namespace lacuna
