// SPDX-License-Identifier: Apache-2.0
#include "arch/compute/arrays/arrays.hpp"
#include "arch/compute/arrays/element_arrays.hpp"
#include "base/error.hpp"
#include "base/whole.hpp"

namespace lacuna {
namespace {

void same(const char* what, std::uint64_t stepped, double counted) {
  LACUNA_CHECK(stepped == whole_near(counted), "{}: {} stepped, {} counted", what, stepped,
               counted);
}

}  // namespace

std::vector<double> step_elements(const FabricSpec& spec, const ArrayProduct& product,
                                  const CsrMatrix& a, const CsrMatrix& b_transposed,
                                  const FabricCounts& counts) {
  const bool outer = spec.arrays.dataflow == FabricDataflow::outer_product;
  ElementRun run =
      outer ? run_outer_elements(a, b_transposed, product.array_rows, product.array_columns,
                                 spec.arrays.rows, spec.arrays.lanes)
            : run_inner_elements(a, b_transposed, product.a_pattern.pattern, spec.b.gating);
  // Of a degree of B the slots are a mean over blocks, which no stepping by A's slots has.
  const bool by_slots = outer || product.b_pattern.pattern.is_dense();
  if (by_slots || spec.b.gating) same("multiplies", run.computed, counts.mac_compute);
  if (outer) {
    const auto arrays = static_cast<double>(spec.arrays.across_m * spec.arrays.across_n);
    same("issue slots", run.issues, counts.compute_cycles * arrays);
  } else if (by_slots) {
    same("MAC slots", run.slots, counts.mac_slots);
    same("gated MACs", run.gated, counts.mac_gated);
  }
  return std::move(run.z);
}

}  // namespace lacuna
