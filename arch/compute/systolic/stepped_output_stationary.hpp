// SPDX-License-Identifier: Apache-2.0
// A second opinion about the time of an output-stationary array: the wavefront, element by element.
// A value of A goes one column further each cycle, one of B one row down; an element works when
// both are there and it is done with the position before. Finished sums move down a row a cycle.
#pragma once

#include <vector>

#include "arch/compute/systolic/output_stationary.hpp"

namespace lacuna {

class SteppedOutputStationary final : public IUnit {
 public:
  SteppedOutputStationary(const FabricSpec& spec, const ArrayProduct& product)
      : spec_(spec), product_(product), fast_(spec, product) {}

  [[nodiscard]] Execution execute(const ArrayInstruction& instruction) override;
  [[nodiscard]] FabricCounts counts() const override { return fast_.counts(); }

 private:
  [[nodiscard]] std::uint64_t step_wavefront(std::uint64_t first, std::uint64_t last);
  [[nodiscard]] std::uint64_t stepped(std::uint64_t chunk);

  const FabricSpec& spec_;
  const ArrayProduct& product_;
  OutputStationaryArray fast_;
  std::vector<std::uint64_t> done_;   // when each element is done with its last position of K
  std::vector<std::uint64_t> known_;  // cycles of the chunks so far of a fold
};

}  // namespace lacuna
