// SPDX-License-Identifier: Apache-2.0
// The tensor-core class of machines: arrays of multiply-accumulate units behind one global buffer
// (GLB), which differ by their sparse acceleration features. Parameters only, from a
// description: arch/description/array_machine.hpp. Z[M,N] = A[M,K] * B[K,N]; A holds weights.
//
// A "word" is one operand at the machine's precision; metadata is counted in words too, a code of b
// bits packed floor(w / b) to a word of w bits (micro22-sparseloop-artifact@de0374a, Fig. 15).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "arch/spec/machine_spec.hpp"
#include "arch/spec/price_spec.hpp"
#include "base/config.hpp"
#include "base/units.hpp"
#include "sparse_formats/pattern.hpp"

namespace lacuna {

enum class FabricDataflow {
  inner_product,      // A stationary in the MACs, `lanes` reduce K in space, psums in the RF
  outer_product,      // a column of A times a row of B; psums are scattered into the RF (DSTC)
  weight_stationary,  // systolic: a fold of A stays, B streams through, psums leave at the bottom
  output_stationary,  // systolic: a sum stays in each element, A and B stream through
};

/// How an operand's zeros are left out of storage.
enum class FabricStorage {
  uncompressed,
  coordinates,    // CP per rank: as many slots as the pattern's rules allow
  run_lengths,    // RLE, the same slots
  bitmask,        // 1 bit for every element, values of the others
  tiled_bitmask,  // bitmask and one flag for every K coordinate of a tile (DSTC)
  block_offsets,  // count, end address of each block, offset of each value (HighLight's B)
};

/// One pattern a machine exploits, and its code widths where the published ones are not
/// ceil(log2 H).
struct FabricPattern {
  Pattern pattern;
  std::uint32_t code_bits = 0;  // 0: ceil(log2 H) of each rank
};

struct FabricOperandSpec {
  /// Patterns whose zeros are skipped, sparsest first. Without dense among them the machine cannot
  /// run an operand that fits none.
  std::vector<FabricPattern> patterns;
  bool skips_unstructured = false;  // any zero (DSTC)
  FabricStorage storage = FabricStorage::uncompressed;
  /// Of an operand that fits no sparse pattern of the menu: A's zeros take a slot, but need not be
  /// stored or fetched. uncompressed or bitmask.
  FabricStorage unstructured_storage = FabricStorage::uncompressed;
  bool gating = false;  // a zero leaves the MAC idle for its cycle
};

enum class FabricOuter { free, b, a };  // whose tiles are the outer loop; free: the mapper chooses

/// Of a mapping whose outer loop is B's tiles; free: the mapper chooses.
enum class FabricStays {
  free,
  b,     // the tile of B
  both,  // it and all of A
  none,  // neither: both are fetched again for every tile of outputs
};

/// A mapping of one product, given instead of what the mapper would choose (the released designs
/// have some). What is zero or free is the mapper's.
struct FabricMappingChoice {
  std::uint64_t m = 0, n = 0, k = 0;
  double a_density_from = 0, a_density_to = 1;    // closed
  std::uint64_t tile_rows = 0, tile_columns = 0;  // of the output tile of one array
  std::uint64_t b_tile_columns = 0;               // of the resident tile of B
  FabricOuter outer = FabricOuter::free;          // a: B is fetched again for each tile of A
  std::uint64_t a_tile_rows = 0;                  // outer a: of A's resident tile
  FabricStays stays = FabricStays::free;
  /// Where tiles are sized by what they hold: room for one of B, for a group of A's rows.
  Bytes b_room, a_room;
  std::uint64_t passing = 0;  // FabricMapping::passing
};

/// How a buffer holds one tensor's tiles.
struct FabricHolding {
  BufferPolicy policy = BufferPolicy::buffet;  // what becomes of a tile that its room cannot hold
  Bytes window;                                // f of Tailors, part of the room
  double share = 0;                            // of the buffer; 0: the mapper divides it
  std::uint64_t ways = 0, line = 0;            // of a cache: 0 ways, as many as lines; bytes
};

/// A level of buffers between memory and the global buffers, which they share.
struct FabricSharedLevel {
  std::string name;
  Bytes capacity;
  std::uint64_t line_words = 64, slices = 1;
  unsigned banks = 2;                      // of a slice, which price an access, and
  bool contended_banks = false;            // are waited for
  double read_words = 0, write_words = 0;  // per cycle; 0: never waited for
  Cycles latency;                          // of the link to the buffers inside
  bool multicast = false;                  // what several of them need crosses the link once
  FabricHolding a, b, z;                   // each has its share
  bool a_outside = false;                  // loops that pick its tiles: A's are outside B's
  TilingStrategy strategy = TilingStrategy::dense_shape;  // of B's tiles, see FabricSpec::Tiling
  double overbooked_share = 0.1;
  std::uint64_t tail_samples = 10;
};

struct FabricSpec {
  std::string name;
  std::string description;
  Hertz clock{1e9};
  std::string precision = "int8";
  std::uint32_t word_bits = 8;

  struct Dram {
    double read_words = 32, write_words = 32;  // per cycle
    bool shared = false;                       // reads and writes share the reads' rate
    Cycles latency;
    Bytes chunk{2048};
    std::uint64_t outstanding = 8;
    Bytes capacity;  // 0: not said
    std::string kind = "lpddr4";
    Place kind_place;  // where the machine says so: whether there is such a kind a table knows
    std::optional<BankedSpec> banked;  // see DramSpec
  } dram;
  /// The global buffer is one pool: whatever an operation holds, data or metadata, takes of
  /// capacity + metadata bytes, on every machine (see glb_bytes()). The two are priced apart.
  struct Glb {
    Bytes capacity, metadata;
    std::uint64_t line_words = 64;
    /// Memories of their own that the buffer is made of, side by side: each holds its part of the
    /// bytes and gives its part of the bandwidth.
    std::uint64_t slices = 1;
    unsigned banks = 2;            // of a slice, which price an access; the released designs'
    bool contended_banks = false;  // they are waited for
    FabricHolding a, b;
    double words_per_cycle = 0;  // data and metadata to the arrays
    double write_words_per_cycle =
        0;           // fills, partial sums, outputs that stay; 0: never waited for
    Cycles latency;  // of the link to the arrays, a pipeline: felt by what was waited for
  } glb;
  /// Between memory and the global buffers, if there is such a level.
  std::optional<FabricSharedLevel> shared;
  std::uint64_t clusters = 1;  // global buffers, each with all of `arrays`: rows of A in turn
  struct Arrays {
    FabricDataflow dataflow = FabricDataflow::inner_product;
    std::uint64_t across_m = 4, across_n = 1;  // arrays side by side along M and N
    std::uint64_t rows = 16;                   // M in space
    std::uint64_t lanes = 16;                  // K in space (inner) or N in space (outer)
    std::uint64_t multipliers = 0;             // of one array; 0: rows x lanes
    std::uint64_t rf_words = 2048;             // psums of one array
    std::uint64_t columns = 128;               // most columns of B under a stationary A (inner)
    double psum_words_per_cycle = 0;           // port of the RF of one array; 0: never waited for
    std::uint64_t psum_spill_steps = 0;        // K steps after which psums go to the GLB; 0: never
    bool load_exposed = false;   // systolic: the next fold's weights are loaded before it, in time
    bool whole_columns = false;  // the loops do not cut N: all columns of B pass under one A
    std::vector<std::pair<std::uint64_t, std::uint64_t>>
        tiles;  // outer, or the array's extents where sums stay
  } arrays;
  FabricOperandSpec a, b;
  /// Who passes one port at the same time waits for the other. Off: each has it alone (tests, and
  /// designs whose published time has none).
  bool contention = true;
  /// Operations of a network or a model follow each other in one simulation: the next fetch ahead
  /// while one runs. Off: each begins when the one before is over.
  bool overlap = true;
  double b_dense_from = 0.0;   // both densities at or above: B is stored uncompressed; 0: never
  bool keep_metadata = false;  // also for dense operands
  bool vfmu = false;           // B is read in whole lines through a variable fetch unit

  /// How the resident tile of B (K x N2) is sized. dense-shape: each product on its own, as if
  /// every position of B were a nonzero. prescient, swiftiles: one N2 for all products of an
  /// operation that share a shape of A, by the bytes that the tiles hold.
  struct Tiling {
    TilingStrategy strategy = TilingStrategy::dense_shape;
    double overbooked_share = 0.1;    // y of Swiftiles
    std::uint64_t tail_samples = 10;  // k of Swiftiles
    std::uint64_t seed = 1;
  } tiling;
  bool compress_outputs = false;
  double z_width = 1;                     // words of one output, where a workload does not say
  FabricOuter order = FabricOuter::free;  // of the loops above the arrays
  std::vector<FabricMappingChoice> mappings;

  struct Energy {
    std::string set;    // a component set with its energies given, or
    std::string table;  // a technology table that prices the components above
    bool saf = true;    // charge the sparse acceleration units
    // Of one action, for the units that exist; see the machine's file for their standing.
    double rank1_select_pj = 0, rank0_select_pj = 0, vfmu_word_pj = 0, compress_word_pj = 0;
  } energy;
  PriceSpec prices;

  [[nodiscard]] std::uint64_t macs() const {
    const std::uint64_t each =
        arrays.multipliers > 0 ? arrays.multipliers : arrays.rows * arrays.lanes;
    return clusters * arrays.across_m * arrays.across_n * each;
  }
  [[nodiscard]] double word_bytes() const { return word_bits / 8.0; }
  /// What fills the global buffer passes a port with a rate.
  [[nodiscard]] bool fills_pass_a_port() const {
    return contention && glb.write_words_per_cycle > 0;
  }
  /// Bytes of data and metadata that the global buffer holds.
  [[nodiscard]] std::uint64_t glb_bytes() const {
    return glb.capacity.count() + glb.metadata.count();
  }
};

/// Words of metadata for one stored value of the pattern: for every rank its code, packed, over the
/// values it stands for. 2:4 with 2 b: 1/4; HighLight's 3 b over 2 b with G0 = 2: 1/4 + 1/4.
[[nodiscard]] double metadata_words(const FabricPattern& pattern, FabricStorage storage,
                                    std::uint32_t word_bits);

}  // namespace lacuna
