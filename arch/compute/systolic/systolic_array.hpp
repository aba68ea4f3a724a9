// SPDX-License-Identifier: Apache-2.0
// A weight-stationary systolic array of K rows and M columns: a fold of A, one value for each
// element, stays while all columns of B of the tile pass; partial sums leave at the bottom.
//
// A fold takes three terms one after another (the TPU-like baseline of SIGMA, HPCA'20, as in
// micro23-teaal-artifact@da8f556, data/baselines/tpu.csv):
//   stream  N cycles: one column of B enters each cycle
//   skew    the rows in use: row r starts r cycles after row 0, so that its product meets the
//   partial
//           sum that comes down to it
//   drain   the columns of the array, in use or not: a value of B travels past all of them
// Loading the next fold's weights is hidden behind the fold at hand (idealised: a second register
// beside each multiplier, and a port that nobody else needs); `load: exposed` puts the rows in use
// before every fold.
#pragma once

#include "arch/compute/i_unit.hpp"
#include "arch/spec/fabric_spec.hpp"

namespace lacuna {

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
