// SPDX-License-Identifier: Apache-2.0
#include "arch/compute/arrays/inner_arrays.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "arch/compute/arrays/array_ports.hpp"
#include "arch/compute/arrays/vfmu.hpp"
#include "base/error.hpp"
#include "base/whole.hpp"

namespace lacuna {
namespace {

/// Cycles of one output tile or a part of it: its slots, its words through the GLB's port, its
/// psums through the write port.
double instruction_cycles(const FabricSpec& spec, double slots, double words, double psums) {
  return std::max({slots, words / spec.glb.words_per_cycle, psums * psum_write_cycles(spec)});
}

/// Columns are shared by the arrays that stand side by side along N.
double columns_of_array(const FabricSpec& spec, std::uint64_t columns) {
  return real(ceil_div(columns, spec.arrays.across_n));
}

/// A tile's edge and how often it occurs.
struct Edge {
  std::uint64_t length = 0;
  double times = 0;
};

/// Whole tiles and what is left.
std::vector<Edge> edges(std::uint64_t all, std::uint64_t tile) {
  std::vector<Edge> out;
  if (all >= tile) out.push_back({tile, real(all / tile)});
  if (all % tile > 0) out.push_back({all % tile, 1});
  return out;
}

}  // namespace

InnerArrays::InnerArrays(const FabricSpec& spec, const ArrayProduct& product)
    : spec_(spec),
      product_(product),
      da_(product.a_pattern.pattern.density().value()),
      db_(product.b_pattern.pattern.density().value()),
      outputs_(real(product.m()) * real(product.n())),
      steps_(real(product.steps()) * db_),
      passes_(spec.arrays.psum_spill_steps == 0
                  ? 1
                  : std::ceil(steps_ / real(spec.arrays.psum_spill_steps))),
      slots_(outputs_ * real(product.padded_k) * da_ * db_) {
  const double effectual = real(product.operands->effectual());
  // A degree of B makes the slots a mean over blocks (S2TA): real pairs scatter around it. Where
  // they are more, each takes a slot and its time all the same.
  if (db_ < 1 && slots_ < effectual) {
    crowding_ = effectual / slots_;
    slots_ = effectual;
  }
  LACUNA_CHECK(slots_ >= effectual - 0.5, "{} effectual multiplies in {} slots", effectual, slots_);
}

double InnerArrays::steps_of(std::uint64_t chunk) const {
  return real(product_.first_step(chunk + 1) - product_.first_step(chunk)) * db_;
}

Execution InnerArrays::execute(const ArrayInstruction& at) {
  const std::uint64_t chunk = at.chunk;
  const std::uint64_t rows = product_.rows_of(at.m), columns = product_.columns_of(at.n);
  const double outputs = real(rows * columns), steps = steps_of(chunk);
  const double slots = crowding_ * steps * columns_of_array(spec_, columns);
  Execution out;
  out.glb_words = operand_words(product_, at) + steps * spilled_psums(spec_, outputs);
  // Psums written are spread over the steps, those of the last pass too.
  const double written =
      passes_ > 1 ? outputs * (outputs_ * passes_ / (outputs_ * steps_)) * steps : 0;
  out.cycles = instruction_cycles(spec_, slots, out.glb_words, written);
  out.written_words = written + staying_words(product_, at);
  const std::uint64_t end =
      chunk + 1 == product_.chunks ? product_.padded_k : product_.first_k(chunk + 1);
  out.multiplies = outputs * (real(end - product_.first_k(chunk)) * da_ * db_ * crowding_);
  return out;
}

double InnerArrays::compute_cycles() const {
  double cycles = 0;  // of one row of output tiles: all rows take the same
  for (std::uint64_t j = 0; j < product_.n_tiles(); ++j) {
    const double columns = columns_of_array(spec_, product_.columns_of(j));
    for (std::uint64_t c = 0; c < product_.chunks; ++c) cycles += crowding_ * steps_of(c) * columns;
  }
  return cycles * real(product_.m_tiles());
}

FabricCounts InnerArrays::counts() const {
  FabricCounts counts = buffer_counts(product_);
  counts.mac_slots = slots_;
  counts.mac_compute = spec_.b.gating ? real(product_.operands->effectual()) : slots_;
  counts.mac_gated = slots_ - counts.mac_compute;
  counts.compute_cycles = compute_cycles();
  count_psums(counts);
  count_registers(counts);
  count_saf(counts);
  count_fetch_unit(counts);
  bound_ports(spec_, counts);
  return counts;
}

/// Each step is one read and one write of a psum; the first reads nothing, and a fill comes before
/// it.
void InnerArrays::count_psums(FabricCounts& counts) const {
  if (passes_ > 1) {
    counts.psum_glb_writes = outputs_ * passes_;
    counts.psum_glb_reads = outputs_ * (passes_ - 1);
  }
  counts.rf_writes = outputs_ * (steps_ + passes_);
  counts.rf_reads = outputs_ * std::max(0.0, steps_ - 1 + (passes_ > 1 ? 1 : 0));
}

/// B passes a register for every operand pair; A's slots are put into theirs over all its reads.
void InnerArrays::count_registers(FabricCounts& counts) const {
  const double k = real(product_.a_compressed ? product_.padded_k : product_.k());
  counts.lrf_data = slots_ + real(product_.m()) * k * da_ * real(product_.n_tiles());
  if (!product_.a_compressed) return;
  counts.lrf_metadata =
      counts.lrf_data * metadata_words(product_.a_pattern, spec_.a.storage, spec_.word_bits);
}

void InnerArrays::count_saf(FabricCounts& counts) const {
  count_selects(product_, counts);
  if (spec_.vfmu) counts.vfmu_words = counts.glb_b.data;
  if (spec_.compress_outputs) counts.compressed_words = outputs_;
}

/// Lines that the fetch unit reads of B, against the words that the arrays take.
void InnerArrays::count_fetch_unit(FabricCounts& counts) const {
  if (!spec_.vfmu) return;
  const double width = product_.b_width;
  const auto window = whole_near(real(spec_.arrays.lanes) / da_);
  const auto line =
      std::max<std::uint64_t>(1, whole_near(static_cast<double>(spec_.glb.line_words) / width));
  const VfmuCounts walk = walk_b(product_.operands->b_transposed(), window, product_.columns, line,
                                 !product_.b_compressed);
  LACUNA_CHECK(whole_near(counts.glb_b.data / width) == walk.taken * product_.m_tiles(),
               "the fetch unit passes {} words of B, the arrays take {}",
               walk.taken * product_.m_tiles(), counts.glb_b.data / width);
  counts.vfmu_lines = walk.lines * product_.m_tiles();
  counts.vfmu_most_held = walk.most_held;
  counts.glb_b_line_words = real(counts.vfmu_lines * spec_.glb.line_words);
}

double InnerArrays::busy_cycles(const FabricSpec& spec, const ArrayWork& work) {
  const double steps = real(work.steps()) * work.b_pattern.pattern.density().value();
  const double row = work.a_words / real(work.m()), column = work.b_words / real(work.n());
  double cycles = 0;
  for (const Edge& m : edges(work.m(), work.rows)) {
    for (const Edge& n : edges(work.n(), work.columns)) {
      const double slots = steps * columns_of_array(spec, n.length);
      const double words = real(m.length) * row + real(n.length) * column +
                           steps * spilled_psums(spec, real(m.length) * real(n.length));
      cycles += m.times * n.times * std::max(slots, words / spec.glb.words_per_cycle);
    }
  }
  return cycles;
}

}  // namespace lacuna
