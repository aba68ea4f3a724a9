// SPDX-License-Identifier: Apache-2.0
// Whole matrices through encode_fiber() and decode_fiber(), rank by rank.
#include "sparse_formats/encoding_fiber.hpp"
#include "sparse_formats/encoding_levels.hpp"

namespace lacuna {
namespace {

[[noreturn]] void contradiction(const std::string& problem) {
  throw InputError(Place{{}, 0, "encoding"}, "the encoded tensor contradicts itself: " + problem,
                   "the file or the encoder that wrote it is wrong");
}

/// Stored coordinates of every fiber of a rank, in storage order.
std::vector<std::vector<std::uint64_t>> fibers_of(const std::vector<EncodingLevel>& levels,
                                                  std::size_t rank) {
  if (rank == 0) return {set_bits(levels[0].stored)};
  std::vector<std::vector<std::uint64_t>> out;
  const EncodingLevel& level = levels[rank];
  const BitMatrix& parents = levels[rank - 1].stored;
  for (std::uint64_t r = 0; r < parents.rows(); ++r) {
    for (const std::uint64_t fiber : set_bits(parents, r, 0, parents.cols())) {
      out.push_back(set_bits(level.stored, r, fiber * level.shape, (fiber + 1) * level.shape));
    }
  }
  return out;
}

std::vector<EncodedFiber> encode_rank(const EncodingLevel& level,
                                      const std::vector<std::vector<std::uint64_t>>& fibers,
                                      const std::vector<std::vector<std::uint64_t>>* below) {
  std::vector<EncodedFiber> out;
  out.reserve(fibers.size());
  std::size_t child = 0;
  std::uint64_t base = 0;
  std::vector<std::uint64_t> lengths;
  for (const auto& stored : fibers) {
    lengths.assign(stored.size(), 1);
    if (below != nullptr) {
      for (auto& length : lengths) length = (*below)[child++].size();
    }
    out.push_back(encode_fiber(level.encoding, level.bits, level.shape, stored, lengths, base));
    for (const std::uint64_t length : lengths) base += length;
  }
  return out;
}

/// What the offsets of a rank say about the fibers (or words) below, against what is there.
void check_lengths(const EncodedMatrix& encoded, std::size_t rank, const DecodedFiber& fiber,
                   std::uint64_t base, std::size_t first_child) {
  if (fiber.lengths.empty()) return;
  if (fiber.base != base) {
    contradiction(fmt::format("rank {}: offsets start at {}, {} payloads came before", rank,
                              fiber.base, base));
  }
  const bool leaf = rank + 1 == encoded.fibers.size();
  for (std::size_t i = 0; i < fiber.lengths.size(); ++i) {
    const auto& next = leaf ? encoded.fibers[rank] : encoded.fibers[rank + 1];
    if (!leaf && first_child + i >= next.size()) return;  // the count of fibers is checked later
    const std::uint64_t there = leaf ? 1 : next[first_child + i].payloads;
    if (fiber.lengths[i] != there) {
      contradiction(fmt::format("rank {}: offsets give {} payloads to coordinate {}, {} are stored",
                                rank, fiber.lengths[i], fiber.coordinates[i], there));
    }
  }
}

}  // namespace

EncodedMatrix encode(const EncodingStack& stack, const BitMatrix& occupancy) {
  const auto levels = encoding_levels(stack, occupancy);
  EncodedMatrix out;
  out.stack = stack;
  out.rows = occupancy.rows();
  out.cols = occupancy.cols();
  std::vector<std::vector<std::vector<std::uint64_t>>> coordinates;
  for (std::size_t i = 0; i < levels.size(); ++i) coordinates.push_back(fibers_of(levels, i));
  for (std::size_t i = 0; i < levels.size(); ++i) {
    const auto* below = i + 1 < levels.size() ? &coordinates[i + 1] : nullptr;
    out.bits.push_back(levels[i].bits);
    out.fibers.push_back(encode_rank(levels[i], coordinates[i], below));
  }
  const EncodingLevel& leaf = levels.back();
  for (const std::uint64_t at : set_bits(leaf.stored)) {
    out.words.push_back(leaf.occupied.get(at / leaf.stored.cols(), at % leaf.stored.cols()));
  }
  return out;
}

BitMatrix decode(const EncodedMatrix& encoded) {
  const std::size_t ranks = encoded.stack.ranks.size();
  if (encoded.fibers.size() != ranks || encoded.bits.size() != ranks || ranks == 0) {
    contradiction(
        fmt::format("{} ranks are stored, the stack has {}", encoded.fibers.size(), ranks));
  }
  BitMatrix out(encoded.rows, encoded.cols);
  // An empty tensor of the same shape gives the shapes of all ranks.
  const auto levels = encoding_levels({encoded.stack}, BitMatrix(encoded.rows, encoded.cols));
  std::vector<std::uint64_t> places{0};  // of the fibers of this rank, in units of their own span
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    const auto& fibers = encoded.fibers[rank];
    if (fibers.size() != places.size()) {
      contradiction(fmt::format("rank {} has {} fibers, the rank above stores {} payloads", rank,
                                fibers.size(), places.size()));
    }
    std::vector<std::uint64_t> next;
    std::uint64_t base = 0;
    for (std::size_t i = 0; i < fibers.size(); ++i) {
      const DecodedFiber fiber = decode_fiber(encoded.stack.ranks[rank], encoded.bits[rank],
                                              levels[rank].shape, fibers[i]);
      check_lengths(encoded, rank, fiber, base, next.size());
      for (const std::uint64_t length : fiber.lengths) base += length;
      for (const std::uint64_t c : fiber.coordinates) {
        next.push_back(places[i] * levels[rank].shape + c);
      }
    }
    places = std::move(next);
  }
  if (places.size() != encoded.words.size()) {
    contradiction(fmt::format("{} words for {} payloads", encoded.words.size(), places.size()));
  }
  const std::uint64_t width = levels.back().occupied.cols();
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (!encoded.words[i]) continue;
    if (places[i] % width >= encoded.cols) {
      contradiction(fmt::format("a nonzero in the padding, column {}", places[i] % width));
    }
    out.set(places[i] / width, places[i] % width);
  }
  return out;
}

}  // namespace lacuna
