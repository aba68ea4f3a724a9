// SPDX-License-Identifier: Apache-2.0
#include "arch/compute/systolic/systolic_array.hpp"

#include <algorithm>

#include "arch/compute/arrays/array_ports.hpp"
#include "base/whole.hpp"

namespace lacuna {
namespace {

/// Folds first .. last-1 of K, with `columns` of B.
double fold_cycles(const FabricSpec& spec, const ArrayWork& work, std::uint64_t first,
                   std::uint64_t last, std::uint64_t columns) {
  const std::uint64_t width = spec.arrays.rows;
  const std::uint64_t stream = ceil_div(columns, spec.arrays.across_n);
  const std::uint64_t rows_in_use = systolic_rows(work, first, last);
  const std::uint64_t skew = rows_in_use, load = spec.arrays.load_exposed ? rows_in_use : 0;
  return real((last - first) * (stream + width) + skew + load);
}

}  // namespace

std::uint64_t systolic_rows(const ArrayWork& work, std::uint64_t first, std::uint64_t last) {
  const auto positions = [&work](std::uint64_t step) {
    return std::min(work.padded_k, step * work.step_k);
  };
  const double density = work.a_pattern.pattern.density().value();
  return whole_near(real(positions(last) - positions(first)) * density);
}

Execution SystolicArray::execute(const ArrayInstruction& at) {
  const std::uint64_t first = product_.first_step(at.chunk);
  const std::uint64_t last = product_.first_step(at.chunk + 1);
  const std::uint64_t rows = product_.rows_of(at.m), columns = product_.columns_of(at.n);
  Execution out;
  out.glb_words =
      operand_words(product_, at) + real(last - first) * spilled_psums(spec_, real(rows * columns));
  out.cycles = std::max(fold_cycles(spec_, product_, first, last, columns),
                        out.glb_words / spec_.glb.words_per_cycle);
  out.written_words =
      real(last - first) * spilled_psums(spec_, real(rows * columns)) + staying_words(product_, at);
  out.multiplies = real(rows * columns * systolic_rows(product_, first, last));
  return out;
}

FabricCounts SystolicArray::counts() const {
  FabricCounts counts = buffer_counts(product_);
  const double outputs = real(product_.m()) * real(product_.n()), k = real(product_.k());
  counts.mac_slots = outputs * real(systolic_rows(product_, 0, product_.steps()));
  // Every multiplier works; a gated one is idle where an operand is zero.
  counts.mac_compute = spec_.b.gating ? real(product_.operands->effectual()) : counts.mac_slots;
  counts.mac_gated = counts.mac_slots - counts.mac_compute;
  for (std::uint64_t n = 0; n < product_.n_tiles(); ++n) {
    counts.compute_cycles +=
        real(product_.m_tiles()) *
        fold_cycles(spec_, product_, 0, product_.steps(), product_.columns_of(n));
  }
  // Values of B pass a register of every element, those of a block together, and partial sums one;
  // weights are put into theirs once for each tile of columns.
  const double weights = real(product_.m()) * counts.mac_slots / outputs * real(product_.n_tiles());
  counts.lrf_data = counts.mac_slots + outputs * k + weights;
  if (product_.a_compressed) {
    counts.lrf_metadata = (counts.mac_slots + weights) *
                          metadata_words(product_.a_pattern, spec_.a.storage, spec_.word_bits);
  }
  count_selects(product_, counts);
  counts.rf_writes = outputs * real(product_.steps());
  counts.rf_reads = outputs * real(product_.steps() - 1);
  bound_ports(spec_, counts);
  return counts;
}

double SystolicArray::busy_cycles(const FabricSpec& spec, const ArrayWork& work) {
  double cycles = 0;
  const double a = work.a_words / real(work.m_tiles()), b = work.b_words / real(work.n());
  for (std::uint64_t n = 0; n < work.n_tiles(); ++n) {
    const std::uint64_t columns = work.columns_of(n);
    const double words = a + b * real(columns);
    cycles += real(work.m_tiles()) * std::max(fold_cycles(spec, work, 0, work.steps(), columns),
                                              words / spec.glb.words_per_cycle);
  }
  return cycles;
}

}  // namespace lacuna
