// SPDX-License-Identifier: Apache-2.0
#include "arch/program/array_counts.hpp"

#include <algorithm>

namespace lacuna {
namespace {

constexpr double FabricCounts::*kTimes[] = {
    &FabricCounts::compute_cycles,   &FabricCounts::glb_cycles,
    &FabricCounts::psum_cycles,      &FabricCounts::glb_write_cycles,
    &FabricCounts::dram_read_cycles, &FabricCounts::dram_write_cycles,
    &FabricCounts::shared_cycles};

}  // namespace

void FabricCounts::add(const FabricCounts& other, double times) {
  constexpr double FabricCounts::*kSums[] = {
      &FabricCounts::mac_compute,     &FabricCounts::mac_gated,
      &FabricCounts::mac_slots,       &FabricCounts::lrf_data,
      &FabricCounts::lrf_metadata,    &FabricCounts::rf_reads,
      &FabricCounts::rf_writes,       &FabricCounts::glb_b_line_words,
      &FabricCounts::psum_glb_reads,  &FabricCounts::psum_glb_writes,
      &FabricCounts::z_glb_writes,    &FabricCounts::rank1_selects,
      &FabricCounts::rank0_selects,   &FabricCounts::vfmu_words,
      &FabricCounts::compressed_words};
  constexpr FabricWords FabricCounts::*kWords[] = {&FabricCounts::glb_a,    &FabricCounts::glb_b,
                                                   &FabricCounts::fill_a,   &FabricCounts::fill_b,
                                                   &FabricCounts::shared_a, &FabricCounts::shared_b,
                                                   &FabricCounts::shared_z, &FabricCounts::dram_a,
                                                   &FabricCounts::dram_b,   &FabricCounts::dram_z};
  for (const auto sum : kSums) this->*sum += other.*sum * times;
  for (const auto time : kTimes) this->*time += other.*time * times;
  for (const auto words : kWords) this->*words += other.*words * times;
  vfmu_lines += other.vfmu_lines * static_cast<std::uint64_t>(times);
  vfmu_most_held = std::max(vfmu_most_held, other.vfmu_most_held);
}

void FabricCounts::add_beside(const FabricCounts& other) {
  FabricCounts both = *this;
  both.add(other, 1);
  for (const auto time : kTimes) both.*time = std::max(this->*time, other.*time);
  *this = both;
}

}  // namespace lacuna
