// SPDX-License-Identifier: Apache-2.0
// The cost model of a MAC-array machine.
#pragma once

#include "arch/buffer/residency.hpp"
#include "arch/cost/i_cost_model.hpp"
#include "arch/spec/fabric_spec.hpp"

namespace lacuna {

class ArrayCost final : public ICostModel {
 public:
  ArrayCost(const FabricSpec& spec, FabricMode mode)
      : spec_(spec), mode_(mode), residency_(spec.glb.policy, spec.glb.window) {}

  [[nodiscard]] double unit_cycles(const ArrayWork& work) const override;
  [[nodiscard]] Estimate estimate(const Demand& demand) const override;
  [[nodiscard]] double at_least(double unit_cycles, double fetched_bytes,
                                double output_words) const override;
  [[nodiscard]] double resident(double bytes, double room) const override {
    return residency_.resident(bytes, room);
  }
  [[nodiscard]] bool passes(double piece, double room) const override {
    return residency_.passes(piece, room);
  }

 private:
  const FabricSpec& spec_;
  FabricMode mode_;
  Residency residency_;
};

}  // namespace lacuna
