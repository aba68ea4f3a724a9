// SPDX-License-Identifier: Apache-2.0
// Metadata of real fibers: encoded to bits and read back. What footprint() counts is what stands
// here bit for bit.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sparse_formats/encoding.hpp"

namespace lacuna {

/// A string of bits, first bit lowest.
class BitString {
 public:
  void append(std::uint64_t value, std::uint32_t width);
  /// `at + width` must not exceed size().
  [[nodiscard]] std::uint64_t read(std::uint64_t at, std::uint32_t width) const;
  void flip(std::uint64_t at) { words_[at / 64] ^= std::uint64_t{1} << (at % 64); }
  [[nodiscard]] std::uint64_t size() const { return size_; }
  friend bool operator==(const BitString&, const BitString&) = default;

 private:
  std::vector<std::uint64_t> words_;
  std::uint64_t size_ = 0;
};

/// One fiber as stored: its metadata and how many payloads follow (a reader knows that from the
/// offsets above or from the fixed structure).
struct EncodedFiber {
  BitString metadata;
  std::uint64_t payloads = 0;
};

/// The coordinates for which a payload is stored, ascending: `coordinates` (the non-empty ones,
/// ascending, below `shape`) and what the format adds. `bits` is the resolved width. Throws
/// InputError when the fiber does not fit (footprint()).
[[nodiscard]] std::vector<std::uint64_t> stored_coordinates(
    const RankEncoding& encoding, std::uint32_t bits, std::uint64_t shape,
    std::span<const std::uint64_t> coordinates);

/// The metadata of a fiber that stores payloads at `stored`. For UOP the offsets start at `base`
/// and grow by lengths[i] (payloads of the next rank behind stored[i]; empty: one each).
[[nodiscard]] EncodedFiber encode_fiber(const RankEncoding& encoding, std::uint32_t bits,
                                        std::uint64_t shape, std::span<const std::uint64_t> stored,
                                        std::span<const std::uint64_t> lengths = {},
                                        std::uint64_t base = 0);

struct DecodedFiber {
  std::vector<std::uint64_t> coordinates;  // of the stored payloads, ascending
  std::vector<std::uint64_t> lengths;      // UOP with stored offsets only
  std::uint64_t base = 0;                  // the same
};

/// Throws InputError when the metadata contradicts itself, the shape or the number of payloads:
/// wrong length, coordinates out of range or not ascending, a bitmask of another population, a run
/// past the end, offsets that fall.
[[nodiscard]] DecodedFiber decode_fiber(const RankEncoding& encoding, std::uint32_t bits,
                                        std::uint64_t shape, const EncodedFiber& fiber);

/// A whole matrix: per rank, outer -> inner, its fibers in order; `words` tells for every stored
/// data word whether it is a nonzero.
struct EncodedMatrix {
  EncodingStack stack;
  std::uint64_t rows = 0;
  std::uint64_t cols = 0;
  std::vector<std::uint32_t> bits;  // resolved widths per rank
  std::vector<std::vector<EncodedFiber>> fibers;
  std::vector<bool> words;
};

[[nodiscard]] EncodedMatrix encode(const EncodingStack& stack, const BitMatrix& occupancy);
/// Throws InputError when ranks contradict themselves, one another or the words.
[[nodiscard]] BitMatrix decode(const EncodedMatrix& encoded);

}  // namespace lacuna
