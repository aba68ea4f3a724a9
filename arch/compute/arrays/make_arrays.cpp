// SPDX-License-Identifier: Apache-2.0
// The only place that knows which kinds of arrays there are.
#include <algorithm>

#include "arch/compute/arrays/arrays.hpp"
#include "arch/compute/arrays/inner_arrays.hpp"
#include "arch/compute/arrays/outer_arrays.hpp"
#include "arch/compute/arrays/stepped_inner.hpp"
#include "arch/compute/arrays/stepped_outer.hpp"
#include "arch/compute/systolic/output_stationary.hpp"
#include "arch/compute/systolic/stepped_output_stationary.hpp"
#include "arch/compute/systolic/stepped_systolic.hpp"
#include "arch/compute/systolic/systolic_array.hpp"
#include "base/whole.hpp"

namespace lacuna {

std::unique_ptr<IUnit> make_arrays(const FabricSpec& spec, const ArrayProduct& product,
                                   FabricMode mode, bool repeats) {
  switch (spec.arrays.dataflow) {
    case FabricDataflow::inner_product:
      return std::make_unique<InnerArrays>(spec, product);
    case FabricDataflow::weight_stationary:
      return std::make_unique<SystolicArray>(spec, product);
    case FabricDataflow::output_stationary:
      return std::make_unique<OutputStationaryArray>(spec, product);
    case FabricDataflow::outer_product:
      break;
  }
  if (mode == FabricMode::expected) return std::make_unique<ExpectedOuterArrays>(spec, product);
  return std::make_unique<OuterArrays>(spec, product, repeats);
}

std::unique_ptr<IUnit> make_stepped_arrays(const FabricSpec& spec, const ArrayProduct& product,
                                           bool repeats) {
  switch (spec.arrays.dataflow) {
    case FabricDataflow::inner_product:
      return std::make_unique<SteppedInner>(spec, product);
    case FabricDataflow::weight_stationary:
      return std::make_unique<SteppedSystolic>(spec, product);
    case FabricDataflow::output_stationary:
      return std::make_unique<SteppedOutputStationary>(spec, product);
    case FabricDataflow::outer_product:
      break;
  }
  return std::make_unique<SteppedOuter>(spec, product, repeats);
}

double arrays_busy_cycles(const FabricSpec& spec, const ArrayWork& work, FabricMode mode) {
  switch (spec.arrays.dataflow) {
    case FabricDataflow::inner_product:
      return InnerArrays::busy_cycles(spec, work);
    case FabricDataflow::weight_stationary:
      return SystolicArray::busy_cycles(spec, work);
    case FabricDataflow::output_stationary:
      return OutputStationaryArray::busy_cycles(spec, work);
    case FabricDataflow::outer_product:
      break;
  }
  return mode == FabricMode::expected ? ExpectedOuterArrays::busy_cycles(spec, work)
                                      : OuterArrays::busy_cycles(spec, work);
}

double dense_cycles(const FabricSpec& spec, std::uint64_t m, std::uint64_t n, std::uint64_t k) {
  const auto& arrays = spec.arrays;
  const std::uint64_t rows = arrays.across_m * arrays.rows;
  if (arrays.dataflow == FabricDataflow::outer_product) {
    return static_cast<double>(ceil_div(m, rows) * ceil_div(n, arrays.across_n * arrays.lanes)) *
           static_cast<double>(k);
  }
  if (arrays.dataflow == FabricDataflow::output_stationary) {
    const auto [height, width] = arrays.tiles.front();
    return static_cast<double>(ceil_div(m, rows) * ceil_div(n, arrays.across_n * width)) *
           static_cast<double>(k + 2 * height + width - 2);
  }
  const double load = static_cast<double>(std::min(m, rows) * arrays.lanes) /
                      std::max(1.0, spec.glb.words_per_cycle);
  const auto columns = static_cast<double>(ceil_div(n, arrays.across_n));
  return static_cast<double>(ceil_div(m, rows) * ceil_div(k, arrays.lanes)) *
         std::max(columns, load);
}

OperandRegisters data_registers(const FabricSpec& spec) {
  if (spec.arrays.dataflow == FabricDataflow::outer_product) {
    return {64, 16,
            spec.clusters * spec.arrays.across_m * spec.arrays.across_n};  // published line buffer
  }
  if (spec.arrays.dataflow == FabricDataflow::output_stationary) {
    return {1, spec.word_bits, 2 * spec.macs()};  // both operands pass
  }
  return {1, spec.word_bits, spec.macs()};
}

std::optional<OperandRegisters> sum_registers(const FabricSpec& spec) {
  if (spec.arrays.dataflow != FabricDataflow::output_stationary) return std::nullopt;
  return OperandRegisters{1, static_cast<unsigned>(whole_near(spec.z_width * spec.word_bits)),
                          spec.macs()};
}

OperandRegisters metadata_registers(const FabricSpec& spec) {
  if (spec.arrays.dataflow == FabricDataflow::outer_product) {
    return {32, 4, spec.clusters * spec.arrays.across_m * spec.arrays.across_n};
  }
  return {1, spec.word_bits, spec.macs()};
}

}  // namespace lacuna
