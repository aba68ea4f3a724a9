// SPDX-License-Identifier: Apache-2.0
// An output-stationary systolic array of M rows and N columns: each element sums one output while a
// row of A comes from the left and a column of B from above, one position of K a cycle.
//
// A fold, one output for each element, takes three terms one after another, rows and columns being
// the array's, in use or not: the edges pass every fold over the whole array.
//   skew    rows + columns - 2 cycles until the last element has its first pair
//   stream  K cycles: one position of K each
//   drain   rows cycles: finished sums go down the columns, one row a cycle
// Together 2 rows + columns + K - 2 (SCALE-Sim, ISPASS'20, the time of a fold; recalled). The next
// fold waits for the drain.
#pragma once

#include "arch/compute/i_unit.hpp"
#include "arch/spec/fabric_spec.hpp"

namespace lacuna {

class OutputStationaryArray final : public IUnit {
 public:
  OutputStationaryArray(const FabricSpec& spec, const ArrayProduct& product)
      : spec_(spec), product_(product) {}

  [[nodiscard]] Execution execute(const ArrayInstruction& instruction) override;
  [[nodiscard]] FabricCounts counts() const override;

  /// See arrays_busy_cycles().
  [[nodiscard]] static double busy_cycles(const FabricSpec& spec, const ArrayWork& work);

 private:
  [[nodiscard]] double drained_steps() const;

  const FabricSpec& spec_;
  const ArrayProduct& product_;
};

}  // namespace lacuna
