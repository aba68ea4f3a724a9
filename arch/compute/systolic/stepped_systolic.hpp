// SPDX-License-Identifier: Apache-2.0
// A second opinion about the time of a systolic array: the wavefront, element by element. A value
// of B goes one column further each cycle, a partial sum one row down; an element works when both
// are there and it is done with the column before. Values enter and leave through a register.
#pragma once

#include "arch/compute/systolic/systolic_array.hpp"

namespace lacuna {

class SteppedSystolic final : public IUnit {
 public:
  SteppedSystolic(const FabricSpec& spec, const ArrayProduct& product)
      : spec_(spec), product_(product), fast_(spec, product) {}

  [[nodiscard]] Execution execute(const ArrayInstruction& instruction) override;
  [[nodiscard]] FabricCounts counts() const override { return fast_.counts(); }

 private:
  [[nodiscard]] std::uint64_t fold(std::uint64_t rows, std::uint64_t columns_of_b) const;

  const FabricSpec& spec_;
  const ArrayProduct& product_;
  SystolicArray fast_;
};

}  // namespace lacuna
