// SPDX-License-Identifier: Apache-2.0
#include "arch/compute/arrays/outer_arrays.hpp"

#include <algorithm>
#include <cmath>

#include "arch/compute/arrays/array_ports.hpp"
#include "arch/compute/arrays/lane_expectation.hpp"
#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/whole.hpp"

namespace lacuna {
namespace {

constexpr double kLineBufferBits = 16;  // published: 64 x 16 b
/// Steps of one array that an estimate from the nonzeros looks at, at most about: a parameter.
constexpr double kMostSteps = 4e6;

double arrays_of(const FabricSpec& spec) {
  return real(spec.arrays.across_m * spec.arrays.across_n);
}

double outputs_of_array(const ArrayWork& work) {
  return real(work.array_rows) * real(work.array_columns);
}

/// Psums of all array tiles that pass the GLB; a tile at the edge counts as a whole one.
double all_spilled(const FabricSpec& spec, const ArrayWork& work) {
  const double m_arrays = real(ceil_div(work.m(), work.array_rows));
  const double n_arrays = real(ceil_div(work.n(), work.array_columns));
  return m_arrays * n_arrays * real(work.k()) * spilled_psums(spec, outputs_of_array(work));
}

OuterFetch fetch_of(const FabricSpec& spec, const ArrayWork& work) {
  return {work.a_mask_words, work.b_mask_words, spilled_psums(spec, outputs_of_array(work))};
}

/// Issue slots of every array by the released law.
double expected_slots(const FabricSpec& spec, const ArrayWork& work) {
  const double a = work.operands->a_density(), b = work.operands->b_density();
  return real(work.m()) * real(work.n()) * real(work.k()) * a * b /
         (real(spec.macs()) * lane_utilisation(a, work.array_rows, spec.arrays.rows) *
          lane_utilisation(b, work.array_columns, spec.arrays.lanes));
}

/// What both models count alike; `first`: products of the first K step.
FabricCounts outer_counts(const FabricSpec& spec, const ArrayProduct& product, double first) {
  FabricCounts counts = buffer_counts(product);
  const double effectual = real(product.operands->effectual());
  counts.mac_slots = counts.mac_compute = effectual;
  const double spilled = all_spilled(spec, product);
  counts.psum_glb_reads = counts.psum_glb_writes = spilled;
  bound_ports(spec, counts);
  if (spec.arrays.psum_words_per_cycle > 0) {
    counts.psum_cycles =
        (effectual + spilled) / (spec.arrays.psum_words_per_cycle * arrays_of(spec));
  }
  const double m = real(product.m()), n = real(product.n()), k = real(product.k());
  // Two psum accesses for every multiply: the price of scattering (HighLight's "DSTC tax").
  counts.rf_writes = effectual + m * n + spilled;
  counts.rf_reads = effectual - first + spilled;
  // Bitmask entries of 4 bits: A's once and again for every group of columns, and B's likewise.
  const double lanes = real(spec.arrays.lanes), rows = real(spec.arrays.rows);
  const double m_arrays = real(ceil_div(product.m(), product.array_rows));
  const double n_arrays = real(ceil_div(product.n(), product.array_columns));
  if (product.a_compressed) {
    counts.lrf_metadata += m * k * n_arrays * (real(product.array_columns) / lanes + 1) / 4;
  }
  if (product.b_compressed) {
    counts.lrf_metadata += n * k * m_arrays * (real(product.array_rows) / rows + 1) / 4;
  }
  return counts;
}

/// At most `most` of `count` tiles, evenly spread.
std::vector<std::uint64_t> spread(std::uint64_t count, std::uint64_t most) {
  const std::uint64_t taken = std::min(count, most);
  std::vector<std::uint64_t> out;
  for (std::uint64_t i = 0; i < taken; ++i) out.push_back((2 * i + 1) * count / (2 * taken));
  return out;
}

}  // namespace

OuterArrays::OuterArrays(const FabricSpec& spec, const ArrayProduct& product, bool repeats)
    : spec_(spec),
      product_(product),
      steps_(spec, product, fetch_of(spec, product)),
      spilled_(spilled_psums(spec, outputs_of_array(product))),
      drain_(spec.arrays.psum_words_per_cycle > 0
                 ? outputs_of_array(product) / spec.arrays.psum_words_per_cycle
                 : 0),
      known_(repeats ? product.instructions() : 0) {}

Execution OuterArrays::execute(const ArrayInstruction& at) {
  const std::uint64_t index = (at.m * product_.n_tiles() + at.n) * product_.chunks + at.chunk;
  if (!known_.empty() && known_[index]) return *known_[index];
  Execution out;
  const std::uint64_t rows = product_.rows_of(at.m), columns = product_.columns_of(at.n);
  const std::uint64_t k0 = product_.first_k(at.chunk), k1 = product_.first_k(at.chunk + 1);
  const double arrays =
      real(ceil_div(rows, product_.array_rows) * ceil_div(columns, product_.array_columns));
  const double spilled = arrays * spilled_ * real(k1 - k0);
  // Words that are wider than the machine's, or zeros that are stored, pass the port too.
  out.glb_words = operand_words(product_, at) + spilled;
  out.cycles =
      std::max({steps_.cycles(at.m, at.n, k0, k1), out.glb_words / spec_.glb.words_per_cycle,
                spilled * psum_write_cycles(spec_)});
  out.written_words = spilled + staying_words(product_, at);
  out.multiplies = steps_.products();
  if (at.chunk + 1 == product_.chunks) out.cycles += drain_;
  if (!known_.empty()) known_[index] = out;
  return out;
}

FabricCounts OuterArrays::counts() const {
  const OuterTotals& totals = steps_.totals();
  FabricCounts counts = outer_counts(spec_, product_, totals.first_products);
  LACUNA_CHECK(totals.products == counts.mac_compute, "{} products in the tiles, {} in all",
               totals.products, counts.mac_compute);
  counts.compute_cycles = totals.slots / arrays_of(spec_);
  counts.lrf_data = totals.entry_reads * spec_.word_bits / kLineBufferBits;
  return counts;
}

double OuterArrays::busy_cycles(const FabricSpec& spec, const ArrayWork& work) {
  const double port = spec.arrays.psum_words_per_cycle;
  const double per_tile = real(work.k()) * arrays_of(spec);
  const std::uint64_t m_tiles = work.m_tiles(), n_tiles = work.n_tiles();
  const auto most =
      static_cast<std::uint64_t>(std::max(1.0, std::floor(std::sqrt(kMostSteps / per_tile))));
  const bool all = real(m_tiles) * real(n_tiles) * per_tile <= kMostSteps;
  const auto rows = spread(m_tiles, all ? m_tiles : most);
  const auto columns = spread(n_tiles, all ? n_tiles : most);
  OuterSteps steps(spec, work, fetch_of(spec, work));
  double cycles = 0;
  for (const std::uint64_t i : rows) {
    stop_if_requested();
    for (const std::uint64_t j : columns) {
      for (std::uint64_t c = 0; c < work.chunks; ++c) {
        cycles += steps.cycles(i, j, work.first_k(c), work.first_k(c + 1));
      }
      if (port > 0) cycles += outputs_of_array(work) / port;
    }
  }
  return cycles * real(m_tiles) * real(n_tiles) / (real(rows.size()) * real(columns.size()));
}

ExpectedOuterArrays::ExpectedOuterArrays(const FabricSpec& spec, const ArrayProduct& product) {
  const double a = product.operands->a_density(), b = product.operands->b_density();
  const double m = real(product.m()), n = real(product.n()), k = real(product.k());
  counts_ = outer_counts(spec, product, a * b * m * n);
  counts_.compute_cycles = expected_slots(spec, product);
  const double tiles = m / real(product.array_rows) * (n / real(product.array_columns));
  const double na = a * real(product.array_rows), nb = b * real(product.array_columns);
  const double entries = na * (expected_groups(b, product.array_columns, spec.arrays.lanes) + 1) +
                         nb * (expected_groups(a, product.array_rows, spec.arrays.rows) + 1);
  counts_.lrf_data = tiles * k * entries * spec.word_bits / kLineBufferBits;
  const double instructions = real(product.instructions());
  each_.cycles = std::max({counts_.compute_cycles, counts_.glb_cycles, counts_.psum_cycles,
                           counts_.glb_write_cycles}) /
                 instructions;
  each_.multiplies = counts_.mac_slots / instructions;
  each_.glb_words =
      (counts_.glb_a.all() + counts_.glb_b.all() + counts_.psum_glb_reads) / instructions;
  each_.written_words = (counts_.psum_glb_writes + counts_.z_glb_writes) / instructions;
}

Execution ExpectedOuterArrays::execute(const ArrayInstruction& /*instruction*/) {
  return each_;
}

double ExpectedOuterArrays::busy_cycles(const FabricSpec& spec, const ArrayWork& work) {
  const double spilled = all_spilled(spec, work);
  const double words =
      work.a_words * real(work.n_tiles()) + work.b_words * real(work.m_tiles()) + spilled;
  const double psums = real(work.operands->effectual()) + spilled;
  const double port = spec.arrays.psum_words_per_cycle;
  return std::max({expected_slots(spec, work), words / spec.glb.words_per_cycle,
                   port > 0 ? psums / (port * arrays_of(spec)) : 0});
}

}  // namespace lacuna
