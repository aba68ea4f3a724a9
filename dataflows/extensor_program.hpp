// SPDX-License-Identifier: Apache-2.0
// The ExTensor dataflow, loop order N2 K2 M2 M1 N1 K1 M0 N0 K0: a tile of B (K2, N2) stays in the
// last-level buffer, row blocks of A pass by it, partial outputs leave and return once per K2
// block.
#pragma once

#include <cstdint>
#include <optional>

#include "arch/program/tile_program.hpp"
#include "arch/spec/machine_spec.hpp"
#include "dataflows/sampled_occupancy.hpp"
#include "dataflows/stored_rows.hpp"
#include "dataflows/z_occupancy.hpp"
#include "sparse_formats/csr.hpp"

namespace lacuna {

/// The operands of Z = A * B, cut into microtiles. B is kept transposed: its fibers are columns.
struct ProductOperands {
  CsrMatrix a;
  CsrMatrix b_transposed;
  MicrotileGrid a_grid;
  MicrotileGrid b_grid;
  const OutputSamples* samples;  // null: all of Z

  /// `sampled_by` outlives this.
  ProductOperands(CsrMatrix a_matrix, CsrMatrix b_matrix_transposed, const MicrotileSpec& shape,
                  const OutputSamples* sampled_by = nullptr);
};

/// Sums that the program knows without running: the machine's own counts must agree with them.
struct ProgramTotals {
  std::uint64_t multiplies = 0;
  std::uint64_t z_nonzeros = 0;
  std::uint64_t passes = 0;
  std::uint64_t stationary_tiles = 0;
  std::uint64_t rows = 0;
  std::uint64_t overbooked_tiles = 0;  // stationary tiles larger than their share
  double stationary_fill = 0;          // sum over tiles of min(1, bytes / share)
};

/// Of a sampled product a tile of B has the columns in whose microtiles S has a nonzero, and of a
/// row of A what meets one of them that S has in this row moves.
class ExtensorProgram final : public TileProgram {
 public:
  /// `tiles` in microtiles, already clamped to the tensor and all nonzero; `operands` outlive this.
  ExtensorProgram(const ProductOperands& operands, const MachineSpec& machine, LoopTiles tiles);

  bool next(PassInstruction& pass) override;
  [[nodiscard]] const MicrotileGrid& a() const override { return operands_.a_grid; }
  [[nodiscard]] const MicrotileGrid& b() const override { return operands_.b_grid; }
  [[nodiscard]] const CsrMatrix& a_matrix() const override { return operands_.a; }
  [[nodiscard]] const CsrMatrix& b_matrix_transposed() const override {
    return operands_.b_transposed;
  }
  [[nodiscard]] const SampledTiles* samples() const override {
    return samples_ ? &*samples_ : nullptr;
  }
  /// Complete once next() has returned false.
  [[nodiscard]] const ProgramTotals& totals() const { return totals_; }

 private:
  bool next_stationary();
  [[nodiscard]] std::shared_ptr<StationaryTile> make_stationary() const;
  void step_k2(bool a_has, bool b_has);
  bool next_stripe();
  void fill_row(const RowOccupancy& occupancy, PassInstruction& pass);
  /// What the row takes of S; the blocks of K that take part with it are in takes_part_.
  void fill_samples(RowInstruction& row);
  void lay_out_stripe();
  void check_fits(const RowInstruction& row) const;
  [[nodiscard]] std::uint64_t walked_columns(const RowInstruction& row) const;

  const ProductOperands& operands_;
  const MachineSpec& machine_;
  LoopTiles tiles_;
  StoredRows stored_a_;
  std::optional<ZOccupancy> occupancy_;
  // Of a sampled product, instead.
  std::optional<SampledTiles> samples_;
  std::optional<SampledOccupancy> sampled_occupancy_;
  std::vector<char> s_has_n1_;
  std::vector<char> takes_part_;  // blocks of K that a row's columns reach; otherwise empty
  std::uint64_t a_share_;
  std::uint64_t b_share_;

  Coordinate n2_ = 0, k2_ = 0;
  bool stripe_loaded_ = false;
  const std::vector<std::vector<RowOccupancy>>* stripe_rows_ = nullptr;
  Coordinate k2_end_ = 0;  // one past the last K2 block that both operands reach
  int k2_side_ = 0;
  std::uint64_t k2_tries_ = 0;
  std::vector<char> b_has_k1_;  // whether the stripe holds a microtile in block row k1
  std::uint64_t b_stored_ = 0;  // bytes of the tiles of B so far
  /// Nonzeros of Z before each row of the stripe, and of the row so far.
  std::vector<std::uint64_t> z_before_row_, z_of_row_;
  std::uint64_t z_before_stripe_ = 0, z_of_stripe_ = 0;
  std::shared_ptr<const StationaryTile> stationary_;
  std::size_t next_row_ = 0;  // in stripe_rows_[k2_]
  std::uint64_t next_id_ = 0;
  ProgramTotals totals_;
};

}  // namespace lacuna
