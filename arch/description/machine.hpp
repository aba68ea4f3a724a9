// SPDX-License-Identifier: Apache-2.0
// A machine as one description: memory, any number of levels of buffers, links between them,
// compute units, where operands meet, what happens to outputs, and the loop nest that runs on it.
// Nothing here names a published design; docs/decisions/016 has seven of them written out.
//
// Operands are those of Z[m,n] = A[m,k] * B[k,n] unless `tensors` says otherwise.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "arch/compute/classes/unit_classes.hpp"
#include "arch/description/loop_nest.hpp"
#include "arch/energy/precision.hpp"
#include "arch/energy/sram_grid.hpp"
#include "arch/spec/dram_device.hpp"
#include "base/config.hpp"
#include "base/units.hpp"
#include "sparse_formats/encoding.hpp"

namespace lacuna::description {

/// How one rank of a stored tensor is encoded.
struct RankFormat {
  RankEncoding encoding;
  Bits payload;             // beside each coordinate: where the fiber below it begins
  bool structured = false;  // HSS(...): one such rank for each rule of the operand's pattern
};

/// A tensor as stored: its ranks or digits, outermost first, with an encoding each.
struct TensorFormat {
  std::vector<Digit> order;
  std::vector<RankFormat> ranks;
  bool padded = false;      // arrays take whole lines of 64 bits
  bool whole_list = false;  // what is selected of a list is read with the tuples of all of it
};

enum class Policy {
  kBuffet,   // filled in order, read while it is there, freed in order; what is too large comes
             // again whole
  kTailors,  // the head of a tile that is too large stays, its tail streams through a window
  kCache,    // lines are replaced least recently used first
};

/// One tensor in a level (or in memory, where only the format counts).
struct Holding {
  std::string tensor;
  std::optional<double> share;    // of the level's capacity
  std::optional<Bytes> capacity;  // of a memory of its own
  Policy policy = Policy::kBuffet;
  Bytes window;            // Tailors: the streaming part
  std::uint64_t ways = 0;  // cache; 0: as many as it has lines
  std::optional<TensorFormat> format;
  std::optional<TensorFormat>
      otherwise;                 // of an operand that obeys no structure that `format` needs
  double uncompressed_from = 0;  // both operands at least so dense: stored plain; 0: never
  bool keep_metadata = false;    // also of a dense operand
  std::optional<Digit> below;  // instead of the level's: its tiles are what loops inside this touch
};

/// Bytes per cycle; infinity is written "unbounded", so that what is free is said to be.
struct Ports {
  double read = 0;
  double write = 0;
};

struct Memory {
  std::optional<BankedSpec> banked;  // channels, banks and rows; absent: a rate and a latency
  bool shared = true;                // reads and writes share `read`
  double read = 0, write = 0;        // bytes per cycle
  Cycles latency;                    // unloaded
  Bytes request;                     // the largest of one client
  Bytes burst{1};                    // contiguous bytes come in whole bursts
  std::uint64_t outstanding = 1;
  std::optional<Bytes> capacity;
  std::string price;  // of a type of DRAM that energy tables know; or
  std::optional<double> picojoules_per_bit;
  std::vector<Holding> holds;  // formats off chip, where they differ
};

struct Level {
  std::string name;
  std::uint64_t instances = 1;    // for each instance of the level outside it
  std::optional<Bytes> capacity;  // absent: every tensor has a memory of its own
  std::optional<Bytes> metadata;  // a memory beside it, for metadata alone
  Bytes line;
  std::uint64_t banks = 0;  // 0: as the level's price assumes
  std::uint64_t slices = 1;
  std::optional<SramPorts> sram;  // ports of each bank; absent: as the machine's class has them
  std::optional<double> wire_mm;  // between its port and its slices; absent: from their area
  Ports ports;
  Digit below;                 // its tiles are what loops inside this one touch
  std::vector<Holding> holds;  // a tensor that is not named passes by

  [[nodiscard]] const Holding* find(std::string_view tensor) const;
};

struct Link {
  std::string from, to;
  double bandwidth = 0;  // bytes per cycle
  Cycles latency;
  bool multicast = false;
  std::optional<double> length_mm;  // absent: from the machine's area
};

/// A compute unit or a helper beside one. Its parameters belong to its class (arch/compute).
struct UnitEntry {
  std::string name;
  std::string unit_class;
  std::string at;           // the level that it stands at
  std::uint64_t count = 1;  // for each instance of that level
  bool enabled = true;      // false: the machine goes without
  UnitTraits traits;
};

enum class MeetingKind { kSkipAhead, kTwoFinger, kBitmap, kLeaderFollower };

/// Where and how the fibers of two operands are intersected.
struct Meeting {
  Digit digit;
  std::string at;  // a level, or "memory"
  MeetingKind kind = MeetingKind::kSkipAhead;
  double per_cycle = 1;  // infinity: never waited for
  std::string leader;    // leader-follower
};

enum class Eviction { kRefuse, kSpillPartial, kMerge };

struct Output {
  std::string tensor;
  std::string accumulate_at;
  Eviction on_evict = Eviction::kRefuse;
};

enum class SizeKind { kAuto, kExtent, kOccupancy, kDenseShape, kPrescient, kSwiftiles };

/// How far one digit runs. An extent counts steps of the digit inside it.
struct DigitSize {
  SizeKind kind = SizeKind::kAuto;
  std::uint64_t extent = 0;
  std::string tensor;              // whose occupancy decides
  double overbooked_share = 0;     // Swiftiles: y
  std::uint64_t tail_samples = 0;  // Swiftiles: k

  [[nodiscard]] std::string text() const;
};

enum class Dispatch {
  kStatic,
  kAnyIdle,   // the next step goes to any instance that is idle
  kByOutput,  // likewise, but the steps of one tile of outputs before those of the next
};

struct Spatial {
  Digit digit;
  std::string over;  // a level with instances, or a unit's extent: "macs.rows"
  Dispatch dispatch = Dispatch::kStatic;
};

using Partition = std::vector<std::pair<Digit, DigitSize>>;

struct Dataflow {
  LoopNest loops;
  bool order_free = false;  // the mapper may order the loops that pick the tiles of a level
  std::vector<Spatial> spatial;
  Partition partition;
  /// Sizes of their own for workloads of these names.
  std::vector<std::pair<std::string, Partition>> by_workload;
  /// Tiles of two ranks that a strategy sizes grow along one first, or keep an aspect (N over K).
  Growth growth = Growth::k_first;
  double aspect = 1;
  /// Edges of the innermost tiles; with a strategy one edge, at most as long as the partition says.
  TilingStrategy edges = TilingStrategy::fixed;
  std::uint64_t seed = 1;       // of samples that strategies draw
  std::uint64_t lookahead = 8;  // instructions that a sequencer decodes ahead
};

/// Ideas of a machine, each to be switched off by itself.
struct Features {
  bool hss = true, tailors = true, swiftiles = true;
};

struct Prices {
  std::string table, set;                    // a technology table or a component set
  std::string ert, art;                      // Accelergy tables that replace energies and areas
  std::map<std::string, std::string> names;  // of components and actions there
  std::string cells;                         // of SRAM; empty: as the table says
  bool saf = true;                           // the sparse acceleration units are charged
};

struct Machine {
  std::string name, description;
  Hertz clock;
  std::map<std::string, std::vector<std::string>> tensors;  // ranks of each
  std::map<std::string, Precision> precision;               // of each tensor
  Memory memory;
  std::vector<Level> levels;  // from memory to compute
  std::vector<Link> links;
  std::vector<UnitEntry> units;
  std::vector<Meeting> intersect;
  std::vector<Output> outputs;
  Dataflow dataflow;
  Features features;
  Prices prices;
  BoundSpec bound;              // blocks that a published comparison counts
  bool strict = false;          // what does not fit a buffer is refused instead of counted
  bool contention = true;       // blocks that pass one port at once wait for each other
  std::optional<bool> overlap;  // operations of a step fetch ahead; where it is not said, they do
                                // on a machine that can

  [[nodiscard]] const Level* find_level(std::string_view wanted) const;
  /// The unit that the instructions are for; null: none.
  [[nodiscard]] const UnitEntry* find_multiplier() const;
  /// The tensor has this rank.
  [[nodiscard]] bool has_rank(const std::string& tensor, const std::string& rank) const;
};

/// Reads a machine and checks it as a whole. Throws InputError with file, line and field.
[[nodiscard]] Machine read(const ConfigReader& config);

}  // namespace lacuna::description
