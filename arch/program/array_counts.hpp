// SPDX-License-Identifier: Apache-2.0
// What a run of a MAC-array machine counts.
#pragma once

#include <cstdint>

namespace lacuna {

/// Data and metadata words of one tensor at one level.
struct FabricWords {
  double data = 0;
  double metadata = 0;
  [[nodiscard]] double all() const { return data + metadata; }
  FabricWords& operator+=(const FabricWords& other) {
    data += other.data;
    metadata += other.metadata;
    return *this;
  }
  friend FabricWords operator*(const FabricWords& words, double factor) {
    return {words.data * factor, words.metadata * factor};
  }
};

/// Counts of one run. Expectations make them fractions; from real operands they are whole, apart
/// from packed metadata.
struct FabricCounts {
  double mac_compute = 0;                 // at full energy
  double mac_gated = 0;                   // in a slot, idle
  double mac_slots = 0;                   // positions of the arrays that hold an operand pair
  double lrf_data = 0, lrf_metadata = 0;  // accesses, reads and writes alike
  double rf_reads = 0, rf_writes = 0;
  FabricWords glb_a, glb_b;     // read by the arrays
  double glb_b_line_words = 0;  // B as read in whole lines; 0: not through a fetch unit
  std::uint64_t vfmu_lines = 0, vfmu_most_held = 0;  // lines read; most words held at once
  double psum_glb_reads = 0, psum_glb_writes = 0;
  double z_glb_writes = 0;     // outputs that stay in the global buffer for the next operation
  FabricWords fill_a, fill_b;  // into the global buffer
  FabricWords shared_a, shared_b, shared_z;  // read from a level that several of these share
  FabricWords dram_a, dram_b, dram_z;
  double rank1_selects = 0, rank0_selects = 0, vfmu_words = 0, compressed_words = 0;
  // Time of each block, in cycles.
  double compute_cycles = 0, glb_cycles = 0, psum_cycles = 0, glb_write_cycles = 0;
  double dram_read_cycles = 0, dram_write_cycles = 0, shared_cycles = 0;

  /// Adds `times` runs of `other`.
  void add(const FabricCounts& other, double times);
  /// Adds what another cluster does meanwhile: time is the longer one.
  void add_beside(const FabricCounts& other);
};

}  // namespace lacuna
