// SPDX-License-Identifier: Apache-2.0
// A second opinion about the time of arrays that reduce K in space: column after column of every K
// window, each with the words of B that its own nonzeros bring through the port, whole lines where
// a fetch unit reads them; A's next window comes in what the port has left meanwhile. Where
// inner_arrays.hpp takes the sums of an instruction, this takes them as they fall.
#pragma once

#include <map>
#include <utility>
#include <vector>

#include "arch/compute/arrays/inner_arrays.hpp"

namespace lacuna {

class SteppedInner final : public IUnit {
 public:
  SteppedInner(const FabricSpec& spec, const ArrayProduct& product);

  [[nodiscard]] Execution execute(const ArrayInstruction& instruction) override;
  [[nodiscard]] FabricCounts counts() const override { return fast_.counts(); }

 private:
  /// Words of B of one step: of all columns that the arrays take at once.
  using Words = std::vector<double>;
  [[nodiscard]] const std::vector<Words>& windows(std::uint64_t n, std::uint64_t chunk);
  [[nodiscard]] std::vector<Words> weigh(std::uint64_t n, std::uint64_t chunk) const;
  [[nodiscard]] double window_cycles(const Words& columns, double a_words, double psums) const;

  const FabricSpec& spec_;
  const ArrayProduct& product_;
  InnerArrays fast_;
  double column_cycles_;  // of a column in a window: the degree that B runs at
  // By column group and chunk: all groups of rows take the same.
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::vector<Words>> known_;
};

}  // namespace lacuna
