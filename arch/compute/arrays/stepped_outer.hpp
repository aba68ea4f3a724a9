// SPDX-License-Identifier: Apache-2.0
// A second opinion about the time of an outer-product machine: issue after issue of every K step,
// the products of each through the psum port, while the port of the buffer brings the next step's
// nonzeros into the line buffers, which are one step deep. Where outer_steps.hpp takes the longest
// of a step's sums, this lets steps overlap as the buffers allow.
#pragma once

#include "arch/compute/arrays/outer_arrays.hpp"

namespace lacuna {

class SteppedOuter final : public IUnit {
 public:
  SteppedOuter(const FabricSpec& spec, const ArrayProduct& product, bool repeats)
      : spec_(spec), product_(product), fast_(spec, product, repeats) {}

  [[nodiscard]] Execution execute(const ArrayInstruction& instruction) override;
  [[nodiscard]] FabricCounts counts() const override { return fast_.counts(); }

 private:
  [[nodiscard]] double issue_cycles(std::uint64_t a, std::uint64_t b) const;
  [[nodiscard]] double step_through(const ArrayInstruction& at, double glb_words) const;

  const FabricSpec& spec_;
  const ArrayProduct& product_;
  OuterArrays fast_;
};

}  // namespace lacuna
