// SPDX-License-Identifier: Apache-2.0
// A weight-stationary systolic array of K rows and M columns: a fold of A, one value for each
// element, stays while all columns of B of the tile pass; partial sums leave at the bottom.
//
// A fold takes three terms one after another (the TPU-like baseline of SIGMA, HPCA'20, as in
// micro23-teaal-artifact@da8f556, data/baselines/tpu.csv):
//   stream  N cycles: one column of B enters each cycle
//   skew    the rows in use: row r starts r cycles after row 0, so that its product meets the
//           partial sum that comes down to it
//   drain   the columns of the array, in use or not: a value of B travels past all of them
// Loading the next fold's weights is hidden behind the fold at hand (idealised: a second register
// beside each multiplier, and a port that nobody else needs); `load: exposed` puts the rows in use
// before every fold.
//
// Where A runs at a G:H pattern (or several ranks of them), an element holds one of a block's G
// values, so rows hold H / G times as many positions of K; all H values of B pass the block's rows
// in a cycle, and each element selects its own by its value's code. The codes lie in the elements
// as long as the values.
#pragma once

#include "arch/compute/i_unit.hpp"
#include "arch/spec/fabric_spec.hpp"

namespace lacuna {

/// Rows in use in folds first .. last-1 of K, added up: all but the last fold's are all of them.
[[nodiscard]] std::uint64_t systolic_rows(const ArrayWork& work, std::uint64_t first,
                                          std::uint64_t last);

class SystolicArray final : public IUnit {
 public:
  SystolicArray(const FabricSpec& spec, const ArrayProduct& product)
      : spec_(spec), product_(product) {}

  [[nodiscard]] Execution execute(const ArrayInstruction& instruction) override;
  [[nodiscard]] FabricCounts counts() const override;

  /// See arrays_busy_cycles().
  [[nodiscard]] static double busy_cycles(const FabricSpec& spec, const ArrayWork& work);

 private:
  const FabricSpec& spec_;
  const ArrayProduct& product_;
};

}  // namespace lacuna
