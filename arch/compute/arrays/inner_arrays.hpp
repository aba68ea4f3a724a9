// SPDX-License-Identifier: Apache-2.0
// Arrays that reduce K in space under stationary values of A.
#pragma once

#include "arch/compute/i_unit.hpp"
#include "arch/spec/fabric_spec.hpp"

namespace lacuna {

class InnerArrays final : public IUnit {
 public:
  InnerArrays(const FabricSpec& spec, const ArrayProduct& product);

  [[nodiscard]] Execution execute(const ArrayInstruction& instruction) override;
  [[nodiscard]] FabricCounts counts() const override;

  /// See arrays_busy_cycles().
  [[nodiscard]] static double busy_cycles(const FabricSpec& spec, const ArrayWork& work);

 private:
  [[nodiscard]] double steps_of(std::uint64_t chunk) const;
  [[nodiscard]] double compute_cycles() const;
  void count_psums(FabricCounts& counts) const;
  void count_registers(FabricCounts& counts) const;
  void count_saf(FabricCounts& counts) const;
  void count_fetch_unit(FabricCounts& counts) const;

  const FabricSpec& spec_;
  const ArrayProduct& product_;
  double da_, db_;       // degrees that A and B run at
  double outputs_;       // M x N
  double steps_;         // accumulations of one output
  double passes_;        // of psums through the register file
  double slots_;         // operand pairs
  double crowding_ = 1;  // operand pairs over the slots that the degrees of A and B leave them
};

}  // namespace lacuna
