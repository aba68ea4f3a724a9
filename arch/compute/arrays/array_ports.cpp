// SPDX-License-Identifier: Apache-2.0
#include "arch/compute/arrays/array_ports.hpp"

#include "base/whole.hpp"

namespace lacuna {

double spilled_psums(const FabricSpec& spec, double outputs) {
  return spec.arrays.psum_spill_steps == 0
             ? 0
             : outputs / static_cast<double>(spec.arrays.psum_spill_steps);
}

double psum_write_cycles(const FabricSpec& spec) {
  return spec.glb.write_words_per_cycle > 0 ? 1 / spec.glb.write_words_per_cycle : 0;
}

double operand_words(const ArrayProduct& product, const ArrayInstruction& at) {
  return product.a[at.m * product.chunks + at.chunk].all() +
         product.b[at.n * product.chunks + at.chunk].all();
}

double staying_words(const ArrayProduct& product, const ArrayInstruction& at) {
  if (!product.z_on_chip || at.chunk + 1 < product.chunks) return 0;
  const double outputs = real(product.rows_of(at.m)) * real(product.columns_of(at.n));
  return product.z.data * outputs / (real(product.m()) * real(product.n()));
}

FabricCounts buffer_counts(const ArrayProduct& product) {
  FabricCounts counts;
  FabricWords a, b;
  for (const FabricWords& words : product.a) a += words;
  for (const FabricWords& words : product.b) b += words;
  counts.glb_a = a * static_cast<double>(product.n_tiles());
  counts.glb_b = b * static_cast<double>(product.m_tiles());
  if (product.z_on_chip) {
    counts.z_glb_writes = product.z.data;
  } else {
    counts.dram_z = product.z;
  }
  return counts;
}

void count_selects(const ArrayProduct& product, FabricCounts& counts) {
  const auto& ranks = product.a_pattern.pattern.ranks;
  if (product.a_pattern.pattern.is_dense()) return;
  if (ranks.back().g < ranks.back().h) counts.rank0_selects = counts.mac_slots;
  if (ranks.size() > 1 && ranks.front().g < ranks.front().h) {
    counts.rank1_selects = counts.mac_slots / real(ranks.back().g);
  }
}

void bound_ports(const FabricSpec& spec, FabricCounts& counts) {
  counts.glb_cycles =
      (counts.glb_a.all() + counts.glb_b.all() + counts.psum_glb_reads) / spec.glb.words_per_cycle;
  if (spec.glb.write_words_per_cycle > 0) {
    counts.glb_write_cycles = counts.psum_glb_writes / spec.glb.write_words_per_cycle;
  }
}

}  // namespace lacuna
