// SPDX-License-Identifier: Apache-2.0
// The only place that knows which kinds of arrays there are.
#include "arch/compute/arrays/arrays.hpp"
#include "arch/compute/arrays/inner_arrays.hpp"
#include "arch/compute/arrays/outer_arrays.hpp"
#include "arch/compute/systolic/systolic_array.hpp"

namespace lacuna {

std::unique_ptr<IUnit> make_arrays(const FabricSpec& spec, const ArrayProduct& product,
                                   FabricMode mode) {
  switch (spec.arrays.dataflow) {
    case FabricDataflow::inner_product:
      return std::make_unique<InnerArrays>(spec, product);
    case FabricDataflow::weight_stationary:
      return std::make_unique<SystolicArray>(spec, product);
    case FabricDataflow::outer_product:
      break;
  }
  if (mode == FabricMode::expected) return std::make_unique<ExpectedOuterArrays>(spec, product);
  return std::make_unique<OuterArrays>(spec, product);
}

double arrays_busy_cycles(const FabricSpec& spec, const ArrayWork& work, FabricMode mode) {
  switch (spec.arrays.dataflow) {
    case FabricDataflow::inner_product:
      return InnerArrays::busy_cycles(spec, work);
    case FabricDataflow::weight_stationary:
      return SystolicArray::busy_cycles(spec, work);
    case FabricDataflow::outer_product:
      break;
  }
  return mode == FabricMode::expected ? ExpectedOuterArrays::busy_cycles(spec, work)
                                      : OuterArrays::busy_cycles(spec, work);
}

}  // namespace lacuna
