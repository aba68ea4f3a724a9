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
      : spec_(spec), mode_(mode), a_(spec.glb.a), b_(spec.glb.b) {}

  [[nodiscard]] double unit_cycles(const ArrayWork& work) const override;
  [[nodiscard]] Estimate estimate(const Demand& demand) const override;
  [[nodiscard]] double at_least(double unit_cycles, double fetched_bytes,
                                double output_words) const override;
  [[nodiscard]] double resident(Tensor operand, double bytes, double room) const override {
    return of(operand).resident(bytes, room);
  }
  [[nodiscard]] double resident_in_shared(Tensor operand, double bytes) const override;
  [[nodiscard]] bool passes(Tensor operand, double piece, double room) const override {
    return of(operand).passes(piece, room);
  }

 private:
  const FabricSpec& spec_;
  FabricMode mode_;
  [[nodiscard]] const Residency& of(Tensor operand) const { return operand == Tensor::a ? a_ : b_; }
  Residency a_, b_;
};

}  // namespace lacuna
