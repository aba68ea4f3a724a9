// SPDX-License-Identifier: Apache-2.0
// What a MAC-array machine executes and what its run counts.
#pragma once

#include <cstdint>
#include <functional>

namespace lacuna {

/// One instruction: a range of K for one tile of outputs. Positions are bytes since the start of
/// the operand's stream from DRAM.
struct FabricStep {
  std::uint64_t a_needed = 0, b_needed = 0;    // must have arrived
  std::uint64_t a_release = 0, b_release = 0;  // not needed again afterwards
  double cycles = 0;                           // of the arrays and the global buffer's port
  std::uint64_t z_bytes = 0;                   // outputs that leave when it is done
  // What the cycles are for, spread over them evenly: metered, never a reason for time.
  std::uint64_t multiplies = 0;  // positions of the arrays that hold an operand pair
  std::uint64_t glb_bytes = 0;   // that the arrays read through the global buffer's port
};

struct FabricProgram {
  std::uint64_t a_bytes = 0, b_bytes = 0;        // all that is fetched
  std::uint64_t a_walks = 0, b_walks = 0;        // in so many fetches of whole bytes
  std::uint64_t a_capacity = 0, b_capacity = 0;  // shares of the global buffer
  std::uint64_t z_backlog = 0;                   // outputs that may wait for DRAM
  /// Fills the next instruction; false after the last.
  std::function<bool(FabricStep&)> next;
};

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
  double psum_glb_reads = 0, psum_glb_writes = 0;
  double z_glb_writes = 0;  // outputs that stay in the global buffer for the next operation
  FabricWords dram_a, dram_b, dram_z;
  double rank1_selects = 0, rank0_selects = 0, vfmu_words = 0, compressed_words = 0;
  // Time of each block, in cycles.
  double compute_cycles = 0, glb_cycles = 0, psum_cycles = 0, glb_write_cycles = 0;
  double dram_read_cycles = 0, dram_write_cycles = 0;

  /// Adds `times` runs of `other`.
  void add(const FabricCounts& other, double times);
};

}  // namespace lacuna
