// SPDX-License-Identifier: Apache-2.0
// What a run leaves behind: plain counts with their unit in the name. Ratios and energies are
// derived from them at report time.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/units.hpp"

namespace lacuna {

/// S tells which outputs are computed; few products have one (sparse_formats/output_samples.hpp).
enum class Tensor : std::uint8_t { a, b, z, z_partial, s };
inline constexpr std::array<std::string_view, 5> kTensorNames{"A", "B", "Z", "Z_partial", "S"};

struct Moved {
  std::uint64_t read_bytes = 0;
  std::uint64_t write_bytes = 0;
  friend bool operator==(const Moved&, const Moved&) = default;
};

using MovedByTensor = std::array<Moved, kTensorNames.size()>;

/// Per level, per tensor. "dram" is the off-chip traffic; "llb" what the last-level buffer gives to
/// and takes from the processing elements; "peb_spill" what a processing element's buffer cannot
/// hold.
using Traffic = std::map<std::string, std::map<std::string, Moved>>;

/// Counts of actions by component and action; times the energy of each they give the run's energy.
using ActionCounts = std::map<std::string, std::map<std::string, std::uint64_t>>;

/// Where the time of the processing elements goes, in PE-cycles; they sum to cycles * PEs.
struct StallBreakdown {
  std::uint64_t busy = 0;
  std::uint64_t wait_a = 0;          // the row's microtiles of A had not arrived
  std::uint64_t wait_b = 0;          // the stationary tile (or its streamed tail) had not arrived
  std::uint64_t wait_intersect = 0;  // K1 had not produced the pair
  std::uint64_t wait_network = 0;    // the pair was on its way from the last-level buffer
  std::uint64_t wait_port = 0;       // a port of a buffer was taken by what else passes it
  std::uint64_t wait_output = 0;     // finished rows could not leave: the cluster was held back
  std::uint64_t imbalance = 0;       // other PEs still worked and no pair was left to give
  std::uint64_t drain = 0;           // outputs leave after the last pair
};

/// What the meter of a port read (sim/meter.hpp): bytes, of the arrays multiplies.
struct PortUse {
  std::uint64_t total = 0;
  std::uint64_t transfers = 0;          // a transfer counts once in each window that it touches
  std::uint64_t fullest = 0;            // most in a window of 1,024 cycles
  std::uint64_t fullest_transfers = 0;  // that took part in it
  std::optional<std::uint64_t> waited;  // cycles that those who passed it waited, where it is known
};

/// What the banks of a memory did, where it has any (arch/memory/banked_memory.hpp).
struct BankUse {
  std::uint64_t bursts = 0;                                       // that crossed the pins, whole
  std::uint64_t row_hits = 0, row_misses = 0, row_conflicts = 0;  // of them; a bank was closed
  std::uint64_t refreshes = 0, turnarounds = 0;                   // of all channels

  void add(const BankUse& one, std::uint64_t times);
  friend bool operator==(const BankUse&, const BankUse&) = default;
};

/// What stood beside the ports and buffers, by name. arch/limits compares it with the machine.
struct Meters {
  std::map<std::string, PortUse> ports;
  std::map<std::string, std::uint64_t> high_water;  // most bytes that a buffer held at a moment
  std::optional<BankUse> banks;                     // of the memory
};

struct MachineStatistics {
  Cycles cycles;
  /// The throughput bound that a published comparison counts: the largest of `bounds` over the
  /// blocks that the machine's `bound` names, of several operations the sum of theirs.
  Cycles cycles_bound;
  std::string cycles_bound_by;           // the block that sets it; "several" when operations differ
  std::string bound;                     // what limits the simulated run: the busiest of all blocks
  std::map<std::string, Cycles> bounds;  // per block: its work / its rate
  std::map<std::string, double> utilization;  // per block: busy share of `cycles`
  double dram_bytes_per_cycle = 0;            // at most, reads and writes; 0: not told
  Traffic traffic;
  ActionCounts actions;
  StallBreakdown stalls;
  std::vector<std::uint64_t> pe_busy;  // cycles, per PE
  std::map<std::string, std::uint64_t>
      iterations;  // loop trips by rank: N2 K2 M2 M1 N1 K1 M0 N0 K0
  std::uint64_t macs_effectual = 0;
  std::uint64_t adds = 0;
  std::uint64_t z_nonzeros = 0;
  std::uint64_t b_bytes_as_read = 0;  // B by the fibers the machine reads (columns), once per tile
  std::uint64_t activations = 0;      // of SystemC processes
  Meters meters;
};

/// Bytes per cycle that came from and went to memory.
[[nodiscard]] double achieved_dram_bandwidth(const MachineStatistics& statistics);

/// Of the cycles that blocks are busy, the largest; of equal ones the block nearest to the arrays.
[[nodiscard]] std::string busiest(const std::map<std::string, Cycles>& bounds);
/// Fills `utilization` and `bound` from `bounds` and `cycles`. Throws ModelError for a block that
/// is busy longer than the run.
void find_limiter(MachineStatistics& statistics);
/// Fills `cycles_bound` and `cycles_bound_by`: the largest of `bounds`, of equal ones the first by
/// name, without those that the machine's bound leaves out.
void bound_cycles(const std::set<std::string>& left_out, MachineStatistics& statistics);

}  // namespace lacuna
