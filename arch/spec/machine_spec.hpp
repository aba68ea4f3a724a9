// SPDX-License-Identifier: Apache-2.0
// What a machine of processing elements is made of: parameters, resolved and validated, no
// behaviour. From its description: arch/description/pe_machine.hpp.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "arch/spec/dram_device.hpp"
#include "arch/spec/price_spec.hpp"
#include "base/config.hpp"
#include "base/units.hpp"

namespace lacuna {

enum class Fidelity { tile, element };

/// What one request to memory may ask for.
inline constexpr Range kRequestBytes{0, 1U << 30};

struct DramSpec {
  double bytes_per_cycle = 0;  // at most
  Cycles latency;              // unloaded
  Bytes burst{1};              // every contiguous transfer is rounded up to whole bursts
  Bytes chunk{16384};  // largest request of one unit, so that units share the channel fairly
  std::uint64_t outstanding = 4;     // requests of one unit under way
  Bytes capacity;                    // 0: not said
  std::optional<BankedSpec> banked;  // absent: one channel of that bandwidth and latency
};

/// What a buffer does with a tile that is larger than itself.
enum class BufferPolicy {
  buffet,   // no answer: the tile is fetched again whole on every traversal (HYTE 2.2; Tailors)
  tailors,  // the head stays, the tail streams through a window (Tailors, slides 85-88)
  cache,    // lines are replaced, the least recently used first
};

struct OperandShares {
  double a = 0;
  double b = 0;
  double z = 0;
};

struct LlbSpec {
  Bytes capacity;
  double bytes_per_cycle = 0;  // toward the processing elements
  /// Of the port that operands from memory and outputs from the elements come in by; infinity:
  /// never waited for.
  double fill_bytes_per_cycle = std::numeric_limits<double>::infinity();
  Bytes line{64};                              // one access of the array
  std::uint64_t slices = 1;                    // memories side by side
  unsigned banks = 1;                          // of a slice, which price an access, and
  bool contended_banks = false;                // are waited for
  BufferPolicy policy = BufferPolicy::buffet;  // of A and B
  Bytes window, a_window;  // f of Tailors, in bytes, of B and of A; part of the operand's share
  OperandShares shares;
};

struct PebSpec {
  Bytes capacity;
  Bytes line{8};
  std::uint64_t pairs_in_flight =
      2;                       // microtile pairs a PE can hold: one computed, others arriving
  double operand_share = 0.5;  // of A and B together, for microtile strategies; Z has the rest
};

enum class IntersectUnitKind { skip_ahead, two_finger };

struct IntersectSpec {
  IntersectUnitKind kind = IntersectUnitKind::skip_ahead;
  double tries_per_cycle = 1;  // infinity: the unit is never waited for
};

/// How matched pairs of microtiles go to processing elements.
enum class Dispatch {
  any_pair,  // any pair to any free PE, several Z microtiles in flight
  k1,        // the K1 matches of one Z microtile in parallel, then the next Z microtile
};

struct PeSpec {
  std::uint64_t count = 128;
  Dispatch dispatch = Dispatch::any_pair;
  Cycles pair_overhead;  // spent by a PE on each pair besides its tries
};

struct NetworkSpec {
  Cycles latency;
};

/// How many bytes a stored microtile of A or B takes in DRAM, and which of its fibers are counted.
struct OperandFormat {
  enum class Fibers { over_k, across_k };
  std::uint64_t microtile_bytes = 8;  // its coordinate tuple or coordinate + pointer
  std::uint64_t fiber_bytes = 8;      // per nonempty fiber: coordinate + pointer
  std::uint64_t nonzero_bytes = 12;   // per nonzero: coordinate + value
  std::uint64_t list_bytes = 0;       // per microtile list (N1 coordinate + pointer of B)
  Fibers fibers = Fibers::over_k;     // A: rows, B: columns; across_k counts the other rank
  bool padded = false;                // arrays in whole 64-bit lines (the TeAAL accounting)
};

struct FormatSpec {
  OperandFormat a;
  OperandFormat b;
  std::uint64_t z_nonzero_bytes = 16;
  /// How the selected microtiles of A are charged: per selected tile, or tuples of the whole list.
  bool a_tuples_of_whole_list = false;
};

struct LoopTiles {
  // In microtiles; 0 = not given.
  std::uint64_t m1 = 0;
  std::uint64_t k1 = 0;
  std::uint64_t n1 = 0;
};

enum class TilingStrategy { fixed, dense_shape, prescient, swiftiles };

/// Edges of a microtile. With a strategy other than fixed they are one edge, chosen for the PE
/// buffer (dataflows/microtile_tiling.hpp), and the numbers here are its upper limit.
struct MicrotileSpec {
  std::uint32_t m0 = 128;
  std::uint32_t n0 = 128;
  std::uint32_t k0 = 128;
  TilingStrategy strategy = TilingStrategy::fixed;
};

enum class Growth { k_first, n_first, square };

struct TilingSpec {
  TilingStrategy strategy = TilingStrategy::fixed;
  LoopTiles fixed;
  std::vector<std::pair<std::string, LoopTiles>> by_workload;  // fixed sizes for named matrices
  Growth growth = Growth::k_first;
  double aspect = 1;                // square growth: N edge / K edge
  double overbooked_share = 0.1;    // y of Swiftiles
  std::uint64_t tail_samples = 10;  // k of Swiftiles
  std::uint64_t seed = 1;
};

struct EnergySpec {
  std::string table;  // name or path of a component table
  double dram_picojoules_per_bit = 0;
};

/// Blocks that a throughput bound may count.
struct BoundSpec {
  bool dram = true;
  bool compute = true;
  bool network = true;
  bool intersect_k1 = true;

  /// What it leaves out, by the names of blocks. Filling is memory's business seen from the buffer.
  [[nodiscard]] std::set<std::string> left_out() const {
    std::set<std::string> out{"fill"};
    if (!dram) out.insert("dram");
    if (!compute) out.insert("compute");
    if (!network) out.insert("network");
    if (!intersect_k1) out.insert("intersect");
    return out;
  }
};

/// A sparse machine of the ExTensor kind: DRAM, a shared last-level buffer, processing elements
/// that intersect fibers.
struct MachineSpec {
  std::string name;
  std::string description;
  Hertz clock{1e9};
  std::string precision = "fp64";  // of operands and sums
  bool contention = true;          // who passes one port at the same time waits for the other
  DramSpec dram;
  LlbSpec llb;
  PebSpec peb;
  bool strict = false;  // refuse what does not fit a buffer instead of counting what it costs
  NetworkSpec network;
  PeSpec pes;
  IntersectSpec intersect_k1;
  IntersectSpec intersect_k0;
  FormatSpec formats;
  MicrotileSpec microtile;
  TilingSpec tiling;
  EnergySpec energy;
  PriceSpec prices;
  BoundSpec bound;
  std::uint64_t lookahead = 8;  // row instructions decoded ahead of the processing elements

  /// Who wants a line of a bank of the last-level buffer waits while it is taken.
  [[nodiscard]] bool waits_for_banks() const { return contention && llb.contended_banks; }
  /// What comes into the last-level buffer passes a port with a rate.
  [[nodiscard]] bool fills_pass_a_port() const {
    return contention && std::isfinite(llb.fill_bytes_per_cycle);
  }
};

}  // namespace lacuna
