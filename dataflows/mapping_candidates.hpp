// SPDX-License-Identifier: Apache-2.0
// What the mapper considered, and which of it is taken (fabric_mapping.hpp says by what rule).
#pragma once

#include <optional>
#include <vector>

#include "dataflows/fabric_mapping.hpp"

namespace lacuna {

class Candidates {
 public:
  void add(const FabricMapping& mapping) { all_.push_back(mapping); }
  [[nodiscard]] bool empty() const { return all_.empty(); }

  /// One that nothing narrower can beat: it fetches `bytes`, each operand once, in about `cycles`,
  /// the fewest there can be. Columns come widest first, and the widest have the fewest cycles.
  [[nodiscard]] std::optional<FabricMapping> ideal(double bytes, double cycles) const;

  /// Of at least one; `denser` as in FabricHoldings.
  [[nodiscard]] FabricMapping choose(const std::vector<FabricMapping>& denser) const;

 private:
  std::vector<FabricMapping> all_;
};

}  // namespace lacuna
