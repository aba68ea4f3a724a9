// SPDX-License-Identifier: Apache-2.0
// The ranks of an encoded matrix as bits: which payloads are non-empty, which are stored. Shared by
// counting (encoding.cpp) and encoding (encoding_fiber.cpp).
#pragma once

#include <vector>

#include "sparse_formats/encoding.hpp"

namespace lacuna {

struct EncodingLevel {
  RankEncoding encoding;
  std::uint64_t shape = 0;
  std::uint32_t bits = 0;  // resolved width
  BitMatrix occupied;      // rows x payload coordinates of this rank along the padded row
  BitMatrix stored;        // the same
};

/// Outer -> inner. Throws InputError as footprint() does.
[[nodiscard]] std::vector<EncodingLevel> encoding_levels(const EncodingStack& stack,
                                                         const BitMatrix& occupancy);

/// The set bits of columns c0 .. c1-1 of row r, counted from c0.
[[nodiscard]] std::vector<std::uint64_t> set_bits(const BitMatrix& bits, std::uint64_t r,
                                                  std::uint64_t c0, std::uint64_t c1);
/// The set bits of the whole matrix, row-major positions.
[[nodiscard]] std::vector<std::uint64_t> set_bits(const BitMatrix& bits);

/// U, or UOP whose offsets are not stored: every coordinate has a payload.
[[nodiscard]] bool stores_everything(const RankEncoding& encoding, std::uint32_t bits);

}  // namespace lacuna
