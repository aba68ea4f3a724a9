// SPDX-License-Identifier: Apache-2.0
// Operations on vectors (normalisation, activation, routing): they take the time of the global
// buffer's port. Their arithmetic is not modelled.
#pragma once

#include "arch/compute/i_unit.hpp"
#include "arch/spec/fabric_spec.hpp"

namespace lacuna {

class VectorStream final : public IUnit {
 public:
  VectorStream(const FabricSpec& spec, const VectorWork& work, const ArrayProduct& moved);

  [[nodiscard]] Execution execute(const ArrayInstruction& instruction) override;
  [[nodiscard]] FabricCounts counts() const override;

 private:
  const FabricSpec& spec_;
  const VectorWork& work_;
  const ArrayProduct& moved_;
  double cycles_;  // of all pieces
};

}  // namespace lacuna
