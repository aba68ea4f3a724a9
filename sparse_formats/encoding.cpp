// SPDX-License-Identifier: Apache-2.0
#include "sparse_formats/encoding.hpp"

#include <algorithm>
#include <bit>

#include "sparse_formats/encoding_fiber.hpp"
#include "sparse_formats/encoding_levels.hpp"

namespace lacuna {
namespace {

[[noreturn]] void fail(const std::string& problem, const std::string& suggestion) {
  throw InputError(Place{{}, 0, "encoding"}, problem, suggestion);
}

/// The product of the inner shapes; the stack's own faults are found here.
std::uint64_t group_columns(const EncodingStack& stack, std::uint64_t cols) {
  constexpr std::uint64_t kMax = std::uint64_t{1} << 36;
  if (stack.ranks.empty() || stack.inner_shapes.size() + 1 != stack.ranks.size()) {
    fail(
        fmt::format("{} ranks with {} inner shapes", stack.ranks.size(), stack.inner_shapes.size()),
        "every rank but the outermost has a shape");
  }
  std::uint64_t product = 1;
  for (const std::uint64_t shape : stack.inner_shapes) {
    product *= std::max<std::uint64_t>(1, shape == 0 ? cols : shape);
    if (product > kMax) fail(fmt::format("{} spans more than 2^36 columns", stack.text()), "");
  }
  return product;
}

/// The occupancy with empty columns appended up to `cols`.
BitMatrix padded(const BitMatrix& bits, std::uint64_t cols) {
  if (cols == bits.cols()) return bits;
  BitMatrix out(bits.rows(), cols);
  for (std::uint64_t r = 0; r < bits.rows(); ++r) {
    std::copy(bits.row(r).begin(), bits.row(r).end(), out.row(r).begin());
  }
  return out;
}

void set_coordinates(BitMatrix& out, std::uint64_t r, std::uint64_t c0,
                     const std::vector<std::uint64_t>& coordinates) {
  for (const std::uint64_t c : coordinates) out.set(r, c0 + c);
}

/// Marks what the outermost rank, a single fiber over the whole matrix, stores.
void store_outermost(EncodingLevel& level) {
  if (stores_everything(level.encoding, level.bits)) {
    level.stored = BitMatrix::full(level.occupied.rows(), level.occupied.cols());
    return;
  }
  level.stored = level.occupied;
  const std::uint64_t width = level.occupied.cols();
  for (const std::uint64_t at :
       stored_coordinates(level.encoding, level.bits, level.shape, set_bits(level.occupied))) {
    level.stored.set(at / width, at % width);
  }
}

/// The same for an inner rank: one fiber for each payload stored above.
void store_inner(EncodingLevel& level, const BitMatrix& fibers) {
  level.stored = level.occupied;
  const bool exact =
      level.encoding.kind == EncodingKind::bitmask ||
      (level.encoding.kind == EncodingKind::offset_pairs && level.bits > 0) ||
      (level.encoding.kind == EncodingKind::coordinate_payload && level.encoding.slots == 0);
  if (exact) return;
  const bool everything = stores_everything(level.encoding, level.bits);
  for (std::uint64_t r = 0; r < fibers.rows(); ++r) {
    for (const std::uint64_t fiber : set_bits(fibers, r, 0, fibers.cols())) {
      const std::uint64_t c0 = fiber * level.shape;
      if (everything) {
        level.stored.set_range(r, c0, c0 + level.shape);
      } else if (level.encoding.slots == 0 ||
                 level.occupied.count(r, c0, c0 + level.shape) != level.encoding.slots) {
        set_coordinates(level.stored, r, c0,
                        stored_coordinates(level.encoding, level.bits, level.shape,
                                           set_bits(level.occupied, r, c0, c0 + level.shape)));
      }
    }
  }
}

/// Widths that were left to us; UOP's depends on what it points into.
void resolve_bits(std::vector<EncodingLevel>& levels) {
  for (std::size_t i = 0; i < levels.size(); ++i) {
    EncodingLevel& level = levels[i];
    if (level.encoding.kind == EncodingKind::coordinate_payload && level.shape > 0 &&
        (level.shape - 1) >> level.bits != 0) {
      fail(fmt::format("{} cannot address {} coordinates", level.encoding.text(), level.shape),
           fmt::format("it needs {} bits", bits_for(level.shape)));
    }
    if (level.encoding.kind != EncodingKind::offset_pairs || level.encoding.bits == 0U) continue;
    const std::uint64_t target = levels[std::min(i + 1, levels.size() - 1)].stored.count();
    const std::uint32_t need = bits_for(target + 1);
    if (!level.encoding.bits) level.bits = std::max(1U, need);
    if (need > level.bits) {
      fail(fmt::format("the offsets of {} overflow: {} payloads", level.encoding.text(), target),
           fmt::format("they need {} bits", need));
    }
  }
}

}  // namespace

bool stores_everything(const RankEncoding& encoding, std::uint32_t bits) {
  return encoding.kind == EncodingKind::uncompressed ||
         (encoding.kind == EncodingKind::offset_pairs && bits == 0);
}

std::vector<std::uint64_t> set_bits(const BitMatrix& bits, std::uint64_t r, std::uint64_t c0,
                                    std::uint64_t c1) {
  std::vector<std::uint64_t> out;
  for (std::uint64_t c = c0; c < c1; c += 64) {
    for (std::uint64_t left = bits.bits(r, c, std::min<std::uint64_t>(64, c1 - c)); left != 0;
         left &= left - 1) {
      out.push_back(c - c0 + static_cast<unsigned>(std::countr_zero(left)));
    }
  }
  return out;
}

std::vector<std::uint64_t> set_bits(const BitMatrix& bits) {
  std::vector<std::uint64_t> out;
  out.reserve(bits.count());
  for (std::uint64_t r = 0; r < bits.rows(); ++r) {
    for (const std::uint64_t c : set_bits(bits, r, 0, bits.cols())) {
      out.push_back(r * bits.cols() + c);
    }
  }
  return out;
}

std::vector<EncodingLevel> encoding_levels(const EncodingStack& stack, const BitMatrix& occupancy) {
  const std::uint64_t group = group_columns(stack, occupancy.cols());
  const std::uint64_t groups = ceil_div(occupancy.cols(), group);
  std::vector<EncodingLevel> levels(stack.ranks.size());
  for (std::size_t i = levels.size(); i-- > 0;) {
    EncodingLevel& level = levels[i];
    level.encoding = stack.ranks[i];
    level.occupied = i + 1 == levels.size() ? padded(occupancy, groups * group)
                                            : levels[i + 1].occupied.coarsened(levels[i + 1].shape);
    const std::uint64_t given = i == 0 ? occupancy.rows() * groups : stack.inner_shapes[i - 1];
    level.shape = i > 0 && given == 0 ? std::max<std::uint64_t>(1, occupancy.cols()) : given;
    level.bits = level.encoding.bits.value_or(
        level.encoding.kind == EncodingKind::offset_pairs ? 1U : bits_for(level.shape));
  }
  store_outermost(levels.front());
  for (std::size_t i = 1; i < levels.size(); ++i) store_inner(levels[i], levels[i - 1].stored);
  resolve_bits(levels);
  return levels;
}

Footprint footprint(const EncodingStack& stack, const BitMatrix& occupancy,
                    std::uint32_t word_bits) {
  Footprint out;
  std::uint64_t fibers = 1;
  for (const EncodingLevel& level : encoding_levels(stack, occupancy)) {
    RankFootprint rank;
    rank.shape = level.shape;
    rank.fibers = fibers;
    rank.payloads = level.stored.count();
    rank.padding = rank.payloads - level.occupied.count();
    switch (level.encoding.kind) {
      case EncodingKind::uncompressed:
        break;
      case EncodingKind::bitmask:
        rank.metadata = Bits(fibers * level.shape);
        break;
      case EncodingKind::coordinate_payload:
      case EncodingKind::run_length:
        rank.metadata = Bits(rank.payloads * level.bits);
        break;
      case EncodingKind::offset_pairs:
        rank.metadata = Bits(fibers * (level.shape + 1) * level.bits);
        break;
    }
    fibers = rank.payloads;
    out.metadata += rank.metadata;
    out.ranks.push_back(rank);
  }
  out.data_words = fibers;
  out.data = Bits(fibers * word_bits);
  return out;
}

Bits block_offset_metadata(const BitMatrix& occupancy, std::uint64_t h1, std::uint64_t h0,
                           BlockOffsetWidths widths) {
  LACUNA_CHECK(h1 > 0 && h0 > 0, "groups of {} blocks of {}", h1, h0);
  const std::uint32_t address = bits_for(h1 * h0 + 1);
  const std::uint64_t count = widths.count != 0 ? widths.count : address;
  const std::uint64_t end_address = widths.end_address != 0 ? widths.end_address : address;
  const std::uint64_t offset = widths.offset != 0 ? widths.offset : bits_for(h0);
  const std::uint64_t groups = occupancy.rows() * ceil_div(occupancy.cols(), h1 * h0);
  return Bits(groups * count + groups * h1 * end_address + occupancy.count() * offset);
}

}  // namespace lacuna
