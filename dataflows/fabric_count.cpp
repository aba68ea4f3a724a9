// SPDX-License-Identifier: Apache-2.0
// What a product costs on the arrays: slots, words, selections, psums, and the cycles of every
// instruction. The rules are those of fabric_compile.hpp.
#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "dataflows/fabric_expectation.hpp"
#include "dataflows/fabric_outer.hpp"
#include "dataflows/fabric_product.hpp"

namespace lacuna {
namespace {

constexpr double kLineBufferBits = 16;  // published: 64 x 16 b

double d(std::uint64_t x) {
  return static_cast<double>(x);
}

bool is_dense(const Pattern& pattern) {
  return pattern.density() == Ratio{1, 1};
}

/// 0 where nothing limits what is written.
double write_cycles_per_word(const FabricSpec& spec) {
  return spec.glb.write_words_per_cycle > 0 ? 1 / spec.glb.write_words_per_cycle : 0;
}

}  // namespace

/// Psums that pass the GLB per K step of an output tile of this size, when they do not stay.
double FabricProduct::spilled(double outputs) const {
  return spec_.arrays.psum_spill_steps == 0 ? 0 : outputs / d(spec_.arrays.psum_spill_steps);
}

/// Time of each instruction: its slots, or its words through a port of the global buffer.
void FabricProduct::inner_cycles() {
  FabricCounts& counts = part_.counts;
  const double port = spec_.glb.words_per_cycle;
  const double write_cycles = write_cycles_per_word(spec_);
  // Psums written are spread over the steps, those of the last pass too.
  const double writes_per_step =
      counts.psum_glb_writes > 0
          ? counts.psum_glb_writes / (d(ops_.m()) * d(ops_.n()) * part_.steps)
          : 0;
  double words_check = 0;
  for (std::uint64_t i = 0; i < tables_.m_tiles; ++i) {
    stop_if_requested();
    for (std::uint64_t j = 0; j < tables_.n_tiles; ++j) {
      for (std::uint64_t c = 0; c < tables_.chunks; ++c) {
        const double steps = d(first_step(c + 1) - first_step(c)) * db_;
        // Columns are shared by the arrays that stand side by side along N.
        const double slots = crowding_ * steps * d(ceil_div(columns_of(j), spec_.arrays.across_n));
        double words =
            tables_.a[i * tables_.chunks + c].all() + tables_.b[j * tables_.chunks + c].all();
        words_check += words;
        const double outputs = d(rows_of(i) * columns_of(j));
        words += steps * spilled(outputs);
        tables_.cycles[(i * tables_.n_tiles + j) * tables_.chunks + c] =
            std::max({slots, words / port, outputs * writes_per_step * steps * write_cycles});
        counts.compute_cycles += slots;
      }
    }
  }
  for (std::uint64_t c = 0; c < tables_.chunks; ++c) {
    const std::uint64_t first = k_of(first_step(c));
    const std::uint64_t end = c + 1 == tables_.chunks ? padded_k_ : k_of(first_step(c + 1));
    tables_.pairs_per_output.push_back(d(end - first) * da_ * db_ * crowding_);
    tables_.spill_words.push_back(d(first_step(c + 1) - first_step(c)) * db_ * spilled(1));
  }
  const double words = counts.glb_a.all() + counts.glb_b.all();
  LACUNA_CHECK(std::abs(words - words_check) <= 1e-6 * words,
               "instructions read {} words of the global buffer, the operands have {}", words_check,
               words);
}

void FabricProduct::inner_product() {
  FabricCounts& counts = part_.counts;
  const double m = d(ops_.m()), n = d(ops_.n());
  part_.steps = d(steps_) * db_;
  const double effectual = d(ops_.effectual());
  counts.mac_slots = m * n * d(padded_k_) * da_ * db_;
  // A degree of B makes the slots a mean over blocks (S2TA): real pairs scatter around it. Where
  // they are more, each takes a slot and its time all the same.
  if (db_ < 1 && counts.mac_slots < effectual) {
    crowding_ = effectual / counts.mac_slots;
    counts.mac_slots = effectual;
  }
  // Each step is one read and one write of a psum; the first reads nothing, and a fill comes
  // before it.
  const double passes = spec_.arrays.psum_spill_steps == 0
                            ? 1
                            : std::ceil(part_.steps / d(spec_.arrays.psum_spill_steps));
  if (passes > 1) {
    counts.psum_glb_writes = m * n * passes;
    counts.psum_glb_reads = m * n * (passes - 1);
  }
  inner_cycles();
  LACUNA_CHECK(counts.mac_slots >= effectual - 0.5, "{} effectual multiplies in {} slots",
               effectual, counts.mac_slots);
  counts.mac_compute = spec_.b.gating ? effectual : counts.mac_slots;
  counts.mac_gated = counts.mac_slots - counts.mac_compute;
  counts.lrf_data = counts.mac_slots + a_slots_;
  if (part_.a_compressed) {
    counts.lrf_metadata =
        counts.lrf_data * metadata_words(part_.a_pattern, spec_.a.storage, spec_.word_bits);
  }
  counts.rf_writes = m * n * (part_.steps + passes);
  counts.rf_reads = m * n * std::max(0.0, part_.steps - 1 + (passes > 1 ? 1 : 0));
  count_saf();
  bound_glb();
}

void FabricProduct::count_saf() {
  FabricCounts& counts = part_.counts;
  const auto& ranks = part_.a_pattern.pattern.ranks;
  if (!is_dense(part_.a_pattern.pattern)) {
    if (ranks.back().g < ranks.back().h) counts.rank0_selects = counts.mac_slots;
    if (ranks.size() > 1 && ranks.front().g < ranks.front().h) {
      counts.rank1_selects = counts.mac_slots / d(ranks.back().g);
    }
  }
  if (spec_.vfmu) counts.vfmu_words = counts.glb_b.data;
  if (spec_.compress_outputs) counts.compressed_words = d(ops_.m()) * d(ops_.n());
}

void FabricProduct::bound_glb() {
  FabricCounts& counts = part_.counts;
  counts.glb_cycles =
      (counts.glb_a.all() + counts.glb_b.all() + counts.psum_glb_reads) / spec_.glb.words_per_cycle;
  if (spec_.glb.write_words_per_cycle > 0) {
    counts.glb_write_cycles = counts.psum_glb_writes / spec_.glb.write_words_per_cycle;
  }
}

void FabricProduct::outer_product() {
  FabricCounts& counts = part_.counts;
  const double effectual = d(ops_.effectual());
  counts.mac_slots = counts.mac_compute = effectual;
  part_.steps = d(ops_.k());
  const FabricMapping& map = part_.mapping;
  const double tile = d(map.array_rows) * d(map.array_columns);
  const double m_arrays = d(ceil_div(ops_.m(), map.array_rows));
  const double n_arrays = d(ceil_div(ops_.n(), map.array_columns));
  const double k = d(ops_.k());
  const double all_spilled = m_arrays * n_arrays * k * spilled(tile);
  counts.psum_glb_reads = counts.psum_glb_writes = all_spilled;
  bound_glb();
  const double arrays = d(spec_.arrays.across_m * spec_.arrays.across_n);
  const double first = mode_ == FabricMode::data ? from_data(tile) : from_expectation();
  if (spec_.arrays.psum_words_per_cycle > 0) {
    counts.psum_cycles = (effectual + all_spilled) / (spec_.arrays.psum_words_per_cycle * arrays);
  }
  tables_.spill_rows = map.array_rows;
  tables_.spill_columns = map.array_columns;
  for (std::uint64_t c = 0; c < tables_.chunks; ++c) {
    tables_.spill_words.push_back(d(first_step(c + 1) - first_step(c)) * spilled(1));
  }
  if (mode_ == FabricMode::expected) spread_evenly();
  // Two psum accesses for every multiply: the price of scattering (HighLight's "DSTC tax").
  counts.rf_writes = effectual + d(ops_.m()) * d(ops_.n()) + all_spilled;
  counts.rf_reads = effectual - first + all_spilled;
  // Bitmask entries of 4 bits: A's once and again for every group of columns, and B's likewise.
  const double lanes = d(spec_.arrays.lanes), rows = d(spec_.arrays.rows);
  const double m = d(ops_.m()), n = d(ops_.n());
  if (part_.a_compressed) {
    counts.lrf_metadata += m * k * n_arrays * (d(map.array_columns) / lanes + 1) / 4;
  }
  if (part_.b_compressed) {
    counts.lrf_metadata += n * k * m_arrays * (d(map.array_rows) / rows + 1) / 4;
  }
}

OuterFetch FabricProduct::outer_fetch(const FabricMapping& map) const {
  OuterFetch fetch;
  if (part_.a_compressed) fetch.a_mask_words = d(map.array_rows) * tiled_mask(map.array_rows);
  if (part_.b_compressed) {
    fetch.b_mask_words = d(map.array_columns) * tiled_mask(map.array_columns);
  }
  fetch.spill_words = spilled(d(map.array_rows) * d(map.array_columns));
  return fetch;
}

/// Returns the products of the first K step.
double FabricProduct::from_data(double tile) {
  FabricCounts& counts = part_.counts;
  const FabricMapping& map = part_.mapping;
  const OuterFetch fetch = outer_fetch(map);
  OuterSteps outer(spec_, ops_, map, fetch);
  const double drain =
      spec_.arrays.psum_words_per_cycle > 0 ? tile / spec_.arrays.psum_words_per_cycle : 0;
  for (std::uint64_t i = 0; i < tables_.m_tiles; ++i) {
    for (std::uint64_t j = 0; j < tables_.n_tiles; ++j) {
      stop_if_requested();
      double* const cycles = &tables_.cycles[(i * tables_.n_tiles + j) * tables_.chunks];
      for (std::uint64_t c = 0; c < tables_.chunks; ++c) {
        const std::uint64_t k0 = k_of(first_step(c)), k1 = k_of(first_step(c + 1));
        // Words that are wider than the machine's, or zeros that are stored, pass the port too.
        const double arrays =
            d(ceil_div(rows_of(i), map.array_rows) * ceil_div(columns_of(j), map.array_columns));
        const double spilled_words = arrays * fetch.spill_words * d(k1 - k0);
        const double words = tables_.a[i * tables_.chunks + c].all() +
                             tables_.b[j * tables_.chunks + c].all() + spilled_words;
        cycles[c] = std::max({outer.cycles(i, j, k0, k1), words / spec_.glb.words_per_cycle,
                              spilled_words * write_cycles_per_word(spec_)});
        tables_.pairs.push_back(outer.products());
      }
      cycles[tables_.chunks - 1] += drain;
    }
  }
  const OuterTotals& totals = outer.totals();
  LACUNA_CHECK(totals.products == counts.mac_compute, "{} products in the tiles, {} in all",
               totals.products, counts.mac_compute);
  counts.compute_cycles = totals.slots / d(spec_.arrays.across_m * spec_.arrays.across_n);
  counts.lrf_data = totals.entry_reads * spec_.word_bits / kLineBufferBits;
  return totals.first_products;
}

/// Issue slots of every array by the released law.
double FabricProduct::expected_slots(const FabricMapping& map) const {
  const double a = ops_.a_density(), b = ops_.b_density();
  return d(ops_.m()) * d(ops_.n()) * d(ops_.k()) * a * b /
         (d(spec_.macs()) * lane_utilisation(a, map.array_rows, spec_.arrays.rows) *
          lane_utilisation(b, map.array_columns, spec_.arrays.lanes));
}

double FabricProduct::from_expectation() {
  FabricCounts& counts = part_.counts;
  const FabricMapping& map = part_.mapping;
  const std::uint64_t rows = spec_.arrays.rows, lanes = spec_.arrays.lanes;
  const double a = ops_.a_density(), b = ops_.b_density();
  const double m = d(ops_.m()), n = d(ops_.n()), k = d(ops_.k());
  counts.compute_cycles = expected_slots(map);
  const double tiles = m / d(map.array_rows) * (n / d(map.array_columns));
  const double na = a * d(map.array_rows), nb = b * d(map.array_columns);
  const double entries = na * (expected_groups(b, map.array_columns, lanes) + 1) +
                         nb * (expected_groups(a, map.array_rows, rows) + 1);
  counts.lrf_data = tiles * k * entries * spec_.word_bits / kLineBufferBits;
  return a * b * m * n;
}

void FabricProduct::spread_evenly() {
  const FabricCounts& c = part_.counts;
  const double cycles =
      std::max({c.compute_cycles, c.glb_cycles, c.psum_cycles, c.glb_write_cycles});
  std::fill(tables_.cycles.begin(), tables_.cycles.end(), cycles / d(tables_.cycles.size()));
  tables_.even = true;
  tables_.even_pairs = c.mac_slots / d(tables_.cycles.size());
  tables_.even_glb_words =
      (c.glb_a.all() + c.glb_b.all() + c.psum_glb_reads) / d(tables_.cycles.size());
}

}  // namespace lacuna
