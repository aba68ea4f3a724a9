// SPDX-License-Identifier: Apache-2.0
// Arrays that multiply a column of A by a row of B and scatter the products (DSTC).
#pragma once

#include <optional>
#include <vector>

#include "arch/compute/arrays/outer_steps.hpp"
#include "arch/compute/i_unit.hpp"

namespace lacuna {

/// From the nonzeros: every K step of every tile.
class OuterArrays final : public IUnit {
 public:
  /// `repeats`: the product runs more than once.
  OuterArrays(const FabricSpec& spec, const ArrayProduct& product, bool repeats);

  [[nodiscard]] Execution execute(const ArrayInstruction& instruction) override;
  [[nodiscard]] FabricCounts counts() const override;

  /// See arrays_busy_cycles().
  [[nodiscard]] static double busy_cycles(const FabricSpec& spec, const ArrayWork& work);

 private:
  const FabricSpec& spec_;
  const ArrayProduct& product_;
  OuterSteps steps_;
  double spilled_;  // psums that pass per K step and array
  double drain_;    // cycles in which the psums of a tile leave an array
  // [(m * n tiles + n) * chunks + chunk] of a product that repeats: not computed, nor counted,
  // anew.
  std::vector<std::optional<Execution>> known_;
};

/// By the released law: no instruction differs from another.
class ExpectedOuterArrays final : public IUnit {
 public:
  ExpectedOuterArrays(const FabricSpec& spec, const ArrayProduct& product);

  [[nodiscard]] Execution execute(const ArrayInstruction& instruction) override;
  [[nodiscard]] FabricCounts counts() const override { return counts_; }

  [[nodiscard]] static double busy_cycles(const FabricSpec& spec, const ArrayWork& work);

 private:
  FabricCounts counts_;
  Execution each_;
};

}  // namespace lacuna
