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
  const std::uint64_t height = spec.arrays.lanes, width = spec.arrays.rows;
  const std::uint64_t stream = ceil_div(columns, spec.arrays.across_n);
  // Positions of K are rows in use, all but the last fold's are all of them.
  const std::uint64_t rows_in_use =
      std::min(work.k(), last * height) - std::min(work.k(), first * height);
  const std::uint64_t skew = rows_in_use, load = spec.arrays.load_exposed ? rows_in_use : 0;
  return real((last - first) * (stream + width) + skew + load);
}

}  // namespace

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
  out.multiplies =
      real(rows * columns * (product_.first_k(at.chunk + 1) - product_.first_k(at.chunk)));
  return out;
}

FabricCounts SystolicArray::counts() const {
  FabricCounts counts = buffer_counts(product_);
  const double outputs = real(product_.m()) * real(product_.n()), k = real(product_.k());
  counts.mac_slots = outputs * k;
  // Every multiplier works; a gated one is idle where an operand is zero.
  counts.mac_compute = spec_.b.gating ? real(product_.operands->effectual()) : counts.mac_slots;
  counts.mac_gated = counts.mac_slots - counts.mac_compute;
  for (std::uint64_t n = 0; n < product_.n_tiles(); ++n) {
    counts.compute_cycles +=
        real(product_.m_tiles()) *
        fold_cycles(spec_, product_, 0, product_.steps(), product_.columns_of(n));
  }
  // A value of B and a partial sum pass a register of every element that they meet; weights are put
  // into theirs once for each tile of columns.
  counts.lrf_data = 2 * counts.mac_slots + real(product_.m()) * k * real(product_.n_tiles());
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
