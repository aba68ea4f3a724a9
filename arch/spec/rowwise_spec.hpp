// SPDX-License-Identifier: Apache-2.0
// What a machine of row-wise products is made of: of one operand, the leader, every nonzero names a
// fiber of the other, the follower; an element merges the fibers of a row of outputs
// (Gustavson's product) or adds them up in a buffer of its own. Parameters, resolved and validated,
// no behaviour. From its description: arch/description/rowwise_machine.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "arch/energy/precision.hpp"
#include "arch/spec/machine_spec.hpp"
#include "arch/spec/price_spec.hpp"
#include "base/units.hpp"

namespace lacuna {

/// A tensor as stored: for each fiber where it begins, for each nonzero its coordinate and value.
struct FiberFormat {
  std::uint64_t pointer_bits = 0;     // of a fiber
  std::uint64_t coordinate_bits = 0;  // of a nonzero
  std::uint64_t value_bits = 0;
  bool run_lengths = false;  // coordinates count the zeros skipped; what they cannot count takes an
                             // empty nonzero after 2^bits - 1 zeros (sparse_formats/encoding.hpp)
  bool plain = false;        // every coordinate has its value, and nothing else is stored

  [[nodiscard]] std::uint64_t nonzero_bits() const { return coordinate_bits + value_bits; }
};

/// Of a cache: a line knows by a bit each which of its bytes it has.
inline constexpr std::uint64_t kCacheLineBytes = 64;

/// A level between memory and the elements that holds fibers of the follower.
struct FiberLevelSpec {
  std::string name;
  Bytes capacity;
  Bytes room;                // of it, the follower's
  Bytes line{64};            // one access of the array; of a cache also what it is kept and lost by
  std::uint64_t slices = 1;  // memories side by side
  unsigned banks = 1;        // of each
  BufferPolicy policy = BufferPolicy::cache;
  Bytes window;                 // Tailors
  std::uint64_t ways = 0;       // cache; 0: as many as it has lines
  bool holds_partials = false;  // outputs that are not final stay in the cache
  double read_bytes_per_cycle = 0;
  double write_bytes_per_cycle = 0;
  Cycles latency;  // to the elements
};

struct RowwiseElementSpec {
  std::uint64_t count = 1;
  std::uint64_t lanes = 1;             // multiplies in a cycle
  std::uint64_t tasks_held = 2;        // one at work, the others being fetched
  std::uint64_t radix = 0;             // fibers that are merged at once; 0: sums stand in a buffer
  double merged_per_cycle = 0;         // nonzeros into the merger
  Bytes leader_room, output_room;      // buffers of an element
  std::optional<Bytes> follower_room;  // where an element holds the follower itself
  std::string buffer;                  // the elements' level, for reports
  Bytes line{8};
  bool separate = false;  // a memory for each tensor, not one for all

  /// Of a sampled product S has half of the leader's room: rows of both say what a row of outputs
  /// is. What each then has.
  [[nodiscard]] Bytes room_beside_samples() const {
    return Bytes(leader_room.count() > 1 ? leader_room.count() / 2 : 1);
  }
};

/// How far the tiles of the loops run, in coordinates; 0: not cut.
struct RowwiseTiles {
  std::uint64_t fibers = 0;         // of the follower, the contracted rank
  std::uint64_t leader_rows = 0;    // summed up at once
  std::uint64_t follower_part = 0;  // of the follower's fibers
  bool leader_outside = false;      // the leader's row tiles are the outer loop, not the parts
};

struct RowwiseSpec {
  std::string name;
  std::string description;
  Hertz clock{1e9};
  Precision operands, sums;
  bool contention = true;
  bool leader_is_b = false;  // columns of B lead and name columns of A; otherwise rows of A, of B
  DramSpec dram;
  std::optional<double> dram_picojoules_per_bit;  // else by the type
  std::string dram_type;
  FiberFormat a, b, z;
  std::optional<FiberLevelSpec> level;
  RowwiseElementSpec elements;
  RowwiseTiles tiles;
  std::string table;  // of prices
  PriceSpec prices;
  BoundSpec bound;

  [[nodiscard]] const FiberFormat& leader() const { return leader_is_b ? b : a; }
  [[nodiscard]] const FiberFormat& follower() const { return leader_is_b ? a : b; }
  [[nodiscard]] bool merges() const { return elements.radix > 0; }
};

}  // namespace lacuna
