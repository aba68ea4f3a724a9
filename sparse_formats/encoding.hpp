// SPDX-License-Identifier: Apache-2.0
// How the ranks of a tensor are stored, with exact bits (the rank formats of Sparseloop, Wu et al.,
// MICRO'22, section 4.3).
//
//   U          uncompressed: a payload for every coordinate, no metadata
//   B          bitmask: one bit for every coordinate, payloads of the non-empty ones
//   CP(b)      coordinate payload: a coordinate of b bits for each non-empty one. CP(b,n) stores
//              exactly n slots in every fiber (the fixed structure of N:M hardware); unused slots
//              carry the smallest unused coordinates and an empty payload
//   RLE(b)     run length: before each stored payload the number of empty coordinates skipped, b
//              bits; a longer gap stores an empty payload after 2^b - 1 skipped ones (padding)
//   UOP(b)     uncompressed offset pairs: shape + 1 offsets of b bits into the payloads of the next
//              rank (CSR's row pointer); payloads of the non-empty coordinates. UOP(0b) stands for
//              offsets that are known without being stored, so every coordinate has its payload, as
//              with U (Sparseloop's tensor-core models put it above the innermost rank)
//
// Without b: CP and RLE take ceil(log2 shape), UOP takes ceil(log2(n + 1)) for the n payloads it
// points into. A stack is written outer -> inner: "UOP(0b),CP(3b,4)[8],CP(2b,2)[4]".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/units.hpp"
#include "sparse_formats/pattern.hpp"
#include "sparse_formats/pattern_bits.hpp"

namespace lacuna {

enum class EncodingKind { uncompressed, bitmask, coordinate_payload, run_length, offset_pairs };

struct RankEncoding {
  EncodingKind kind = EncodingKind::uncompressed;
  std::optional<std::uint32_t> bits;  // CP, RLE, UOP; at most 32
  std::uint32_t slots = 0;            // CP: payloads of every fiber; 0: as many as are non-empty

  [[nodiscard]] std::string text() const;
  friend bool operator==(const RankEncoding&, const RankEncoding&) = default;
};

/// The encodings of a matrix, outer -> inner. Every row is cut into groups of prod(inner_shapes)
/// columns (the last one padded with empty coordinates); the outermost rank runs over all groups of
/// all rows, the others over inner_shapes. An inner shape of 0 stands for the number of columns.
struct EncodingStack {
  std::vector<RankEncoding> ranks;
  std::vector<std::uint64_t> inner_shapes;  // ranks.size() - 1

  /// "UOP(0b),CP(3b,4)[8],CP(2b,2)[4]": the shape of every inner rank in brackets.
  [[nodiscard]] std::string text() const;
  friend bool operator==(const EncodingStack&, const EncodingStack&) = default;
};

/// The inverse of text(); a shape may be left out on an innermost rank that spans the row. Throws
/// InputError at `place`.
[[nodiscard]] EncodingStack parse_encoding(std::string_view text,
                                           const Place& place = Place{{}, 0, "encoding"});

/// Coordinates of ceil(log2 H) bits and G slots for every rule of the pattern below UOP(0b): STC
/// and STC-flexible (published: 2 b for 2:4, 3 b for 2:6 and 2:8), HighLight's operand A (computed:
/// 3 b per kept block for H1 of 5 to 8, 2 b per value). Patterns without rules are stored as they
/// are.
[[nodiscard]] EncodingStack structured_cp(const Pattern& pattern);
/// STC-flexible with run lengths (published: 2 b for 2:4 and 2:6, 3 b for 2:8).
[[nodiscard]] EncodingStack structured_rle(Rule rule, std::uint32_t bits);
/// One bit per element ("dualCompress" operand B).
[[nodiscard]] EncodingStack row_bitmask();
/// DSTC: one flag per k and tile of `tile` elements, then one bit per element of the flagged ones;
/// for an operand whose rows are k.
[[nodiscard]] EncodingStack two_level_bitmask(std::uint64_t tile);

/// What one rank stores.
struct RankFootprint {
  std::uint64_t shape = 0;
  std::uint64_t fibers = 0;    // stored fibers
  std::uint64_t payloads = 0;  // stored payloads: fibers of the next rank, or data words
  std::uint64_t padding = 0;   // those that are empty only because the format cannot skip them
  Bits metadata;
};

struct Footprint {
  std::vector<RankFootprint> ranks;  // outer -> inner
  std::uint64_t data_words = 0;
  Bits data;
  Bits metadata;
};

/// Exact by counting the occupancy; a stored word takes `word_bits`. Throws InputError when the
/// stack cannot hold the tensor: a shape that does not fit the coordinate width, more non-empty
/// payloads in a fiber than slots, offsets that overflow.
[[nodiscard]] Footprint footprint(const EncodingStack& stack, const BitMatrix& occupancy,
                                  std::uint32_t word_bits);

/// HighLight's metadata of a compressed operand B (Wu et al., MICRO'23): the number of nonzeros of
/// each group of H1 blocks, the end address of each block of H0, the offset of each value in its
/// block. The paper publishes no widths; the defaults are computed from the shapes: offset
/// ceil(log2 H0), end address and count ceil(log2(H1 * H0 + 1)). Groups run along the rows.
struct BlockOffsetWidths {
  std::uint32_t count = 0;  // 0: the default
  std::uint32_t end_address = 0;
  std::uint32_t offset = 0;
};
[[nodiscard]] Bits block_offset_metadata(const BitMatrix& occupancy, std::uint64_t h1,
                                         std::uint64_t h0, BlockOffsetWidths widths = {});

/// ceil(log2 n), at most 63; 0 for n <= 1.
[[nodiscard]] std::uint32_t bits_for(std::uint64_t n);

}  // namespace lacuna
