// SPDX-License-Identifier: Apache-2.0
#include "arch/compute/systolic/output_stationary.hpp"

#include <algorithm>

#include "arch/compute/arrays/array_ports.hpp"
#include "base/whole.hpp"

namespace lacuna {
namespace {

/// Rows and columns of one array.
std::pair<std::uint64_t, std::uint64_t> edges_of(const FabricSpec& spec) {
  return spec.arrays.tiles.front();
}

/// Cycles of a fold beside its stream.
std::uint64_t skew(const FabricSpec& spec) {
  return edges_of(spec).first + edges_of(spec).second - 2;
}
std::uint64_t drain(const FabricSpec& spec) {
  return edges_of(spec).first;
}

}  // namespace

Execution OutputStationaryArray::execute(const ArrayInstruction& at) {
  const std::uint64_t positions = product_.first_k(at.chunk + 1) - product_.first_k(at.chunk);
  const bool first = at.chunk == 0, last = at.chunk + 1 == product_.chunks;
  Execution out;
  out.glb_words = operand_words(product_, at);
  const std::uint64_t cycles = positions + (first ? skew(spec_) : 0) + (last ? drain(spec_) : 0);
  out.cycles = std::max(real(cycles), out.glb_words / spec_.glb.words_per_cycle);
  out.written_words = staying_words(product_, at);
  out.multiplies = real(product_.rows_of(at.m) * product_.columns_of(at.n) * positions);
  return out;
}

/// Registers that finished sums pass on their way down, their own included: the one in row r of an
/// array all rows below it.
double OutputStationaryArray::drained_steps() const {
  const std::uint64_t height = edges_of(spec_).first;
  double steps = 0;
  for (std::uint64_t i = 0; i < product_.m_tiles(); ++i) {
    std::uint64_t rows = product_.rows_of(i);
    for (; rows > 0; rows -= std::min(rows, height)) {
      const std::uint64_t used = std::min(rows, height);
      steps += real(used * height) - real(used * (used - 1)) / 2;
    }
  }
  return steps * real(product_.n());
}

FabricCounts OutputStationaryArray::counts() const {
  FabricCounts counts = buffer_counts(product_);
  const double outputs = real(product_.m()) * real(product_.n()), k = real(product_.k());
  counts.mac_slots = outputs * k;
  // Every multiplier works; a gated one is idle where an operand is zero.
  counts.mac_compute = spec_.b.gating ? real(product_.operands->effectual()) : counts.mac_slots;
  counts.mac_gated = counts.mac_slots - counts.mac_compute;
  const double folds = real(product_.m_tiles()) * real(product_.n_tiles());
  counts.compute_cycles = folds * (k + real(skew(spec_) + drain(spec_)));
  // A value of A and one of B pass a register of every element that they meet.
  counts.lrf_data = 2 * counts.mac_slots;
  // Each pair is added to its sum, which starts from zero; then sums pass down.
  const double drained = drained_steps();
  counts.rf_writes = counts.mac_slots + drained - outputs;
  counts.rf_reads = counts.mac_slots - outputs + drained;
  bound_ports(spec_, counts);
  return counts;
}

double OutputStationaryArray::busy_cycles(const FabricSpec& spec, const ArrayWork& work) {
  const double folds = real(work.m_tiles()) * real(work.n_tiles());
  const double words = work.a_words * real(work.n_tiles()) + work.b_words * real(work.m_tiles());
  return std::max(folds * (real(work.k()) + real(skew(spec) + drain(spec))),
                  words / spec.glb.words_per_cycle);
}

}  // namespace lacuna
