// SPDX-License-Identifier: Apache-2.0
// Row-wise products that are added up in a buffer of sums: some rows of the leader at once against
// a tile of the follower, a few of its fibers and a part of each. A task is one step of the
// contracted rank; the last step of its rows and its part gives the outputs away. A step in which
// either operand's tile is empty is none.
#pragma once

#include <vector>

#include "arch/program/rowwise_program.hpp"
#include "arch/spec/rowwise_spec.hpp"

namespace lacuna {

class TileSums final : public RowwiseProgram {
 public:
  /// The operands outlive this.
  TileSums(const CsrMatrix& leader, const CsrMatrix& follower, const RowwiseSpec& machine);

  bool next(RowwiseTask& task) override;

 private:
  /// A tile of the leader's rows at hand: its nonzeros, row by row.
  struct Step {
    std::uint64_t block;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> nonzeros;
    StoredRange stored;
  };
  void begin_rows();
  void begin_part();
  [[nodiscard]] bool advance();
  [[nodiscard]] std::span<const Coordinate> part_of(Coordinate k) const;
  [[nodiscard]] std::uint64_t tile_bytes(std::uint64_t block) const;
  void count(const Step& step, RowwiseTask& task);

  FiberFormat leader_format_, follower_format_, z_;
  RowwiseTiles tiles_;
  std::uint64_t parts_, row_tiles_, fiber_tiles_, room_;

  std::uint64_t part_ = 0, row_tile_ = 0;
  std::vector<Step> steps_;  // of the rows at hand, as far as both tiles hold something
  std::size_t step_ = 0;
  bool done_ = false;
  std::uint64_t part_in_tiles_ = ~std::uint64_t{0};
  std::vector<StoredRange> part_tiles_;                       // of the part at hand, by block
  std::uint64_t follower_at_ = 0, leader_at_ = 0, z_at_ = 0;  // addresses
  std::vector<std::uint64_t> seen_;  // by row and coordinate of the sums: the visit that met it
  std::uint64_t visit_ = 0;
};

}  // namespace lacuna
