// SPDX-License-Identifier: Apache-2.0
#include "sparse_formats/encoding_fiber.hpp"

#include "sparse_formats/encoding_levels.hpp"

namespace lacuna {
namespace {

[[noreturn]] void contradiction(const RankEncoding& encoding, const std::string& problem) {
  throw InputError(Place{{}, 0, "encoding"},
                   fmt::format("{} metadata contradicts the tensor: {}", encoding.text(), problem),
                   "the file or the encoder that wrote it is wrong");
}

/// The non-empty coordinates and the smallest unused ones that fill the slots.
std::vector<std::uint64_t> fill_slots(const RankEncoding& encoding, std::uint64_t shape,
                                      std::span<const std::uint64_t> coordinates) {
  if (coordinates.size() > encoding.slots) {
    throw InputError(Place{{}, 0, "encoding"},
                     fmt::format("a fiber holds {} non-empty payloads, {} has {} slots",
                                 coordinates.size(), encoding.text(), encoding.slots),
                     "prune to the pattern first, or store more slots");
  }
  if (encoding.slots > shape) {
    throw InputError(Place{{}, 0, "encoding"},
                     fmt::format("{} has more slots than the {} coordinates of its fiber",
                                 encoding.text(), shape));
  }
  std::uint64_t missing = encoding.slots - coordinates.size();
  std::vector<std::uint64_t> out;
  std::size_t next = 0;
  for (std::uint64_t c = 0; out.size() < encoding.slots; ++c) {
    const bool used = next < coordinates.size() && coordinates[next] == c;
    if (used) ++next;
    if (used || missing > 0) out.push_back(c);
    if (!used && missing > 0) --missing;
  }
  return out;
}

std::vector<std::uint64_t> with_run_padding(std::uint32_t bits,
                                            std::span<const std::uint64_t> coordinates) {
  const std::uint64_t longest = (std::uint64_t{1} << bits) - 1;
  std::vector<std::uint64_t> out;
  std::uint64_t next = 0;  // the first coordinate that no run covers yet
  for (const std::uint64_t c : coordinates) {
    for (; c - next > longest; next += longest + 1) out.push_back(next + longest);
    out.push_back(c);
    next = c + 1;
  }
  return out;
}

void decode_bitmask(const RankEncoding& encoding, std::uint64_t shape, const EncodedFiber& fiber,
                    DecodedFiber& out) {
  for (std::uint64_t c = 0; c < shape; ++c) {
    if (fiber.metadata.read(c, 1) != 0) out.coordinates.push_back(c);
  }
  if (out.coordinates.size() != fiber.payloads) {
    contradiction(encoding, fmt::format("the bitmask marks {} payloads, {} are stored",
                                        out.coordinates.size(), fiber.payloads));
  }
}

void decode_coordinates(const RankEncoding& encoding, std::uint32_t bits, std::uint64_t shape,
                        const EncodedFiber& fiber, DecodedFiber& out) {
  const bool runs = encoding.kind == EncodingKind::run_length;
  std::uint64_t next = 0;
  for (std::uint64_t i = 0; i < fiber.payloads; ++i) {
    const std::uint64_t read = fiber.metadata.read(i * bits, bits);
    const std::uint64_t c = runs ? next + read : read;
    if (c >= shape) {
      contradiction(encoding, fmt::format("payload {} lies at coordinate {} of {}", i, c, shape));
    }
    if (c < next) {
      contradiction(encoding, fmt::format("coordinate {} does not follow {}", c, next - 1));
    }
    out.coordinates.push_back(c);
    next = c + 1;
  }
}

void decode_offsets(const RankEncoding& encoding, std::uint32_t bits, std::uint64_t shape,
                    const EncodedFiber& fiber, DecodedFiber& out) {
  out.base = fiber.metadata.read(0, bits);
  std::uint64_t last = out.base;
  for (std::uint64_t c = 0; c < shape; ++c) {
    const std::uint64_t offset = fiber.metadata.read((c + 1) * bits, bits);
    if (offset < last) {
      contradiction(encoding,
                    fmt::format("offset {} of coordinate {} falls to {}", last, c, offset));
    }
    if (offset > last) {
      out.coordinates.push_back(c);
      out.lengths.push_back(offset - last);
    }
    last = offset;
  }
  if (out.coordinates.size() != fiber.payloads) {
    contradiction(encoding, fmt::format("the offsets hold {} payloads, {} are stored",
                                        out.coordinates.size(), fiber.payloads));
  }
}

std::uint64_t metadata_bits(const RankEncoding& encoding, std::uint32_t bits, std::uint64_t shape,
                            std::uint64_t payloads) {
  switch (encoding.kind) {
    case EncodingKind::uncompressed:
      return 0;
    case EncodingKind::bitmask:
      return shape;
    case EncodingKind::offset_pairs:
      return (shape + 1) * bits;
    case EncodingKind::coordinate_payload:
    case EncodingKind::run_length:
      break;
  }
  return payloads * bits;
}

}  // namespace

void BitString::append(std::uint64_t value, std::uint32_t width) {
  LACUNA_CHECK(width <= 63 && value >> width == 0, "{} does not fit {} bits", value, width);
  if (width == 0) return;
  words_.resize((size_ + width + 63) / 64);
  words_[size_ / 64] |= value << (size_ % 64);
  if (size_ % 64 + width > 64) words_[size_ / 64 + 1] |= value >> (64 - size_ % 64);
  size_ += width;
}

std::uint64_t BitString::read(std::uint64_t at, std::uint32_t width) const {
  LACUNA_CHECK(width <= 63 && at + width <= size_, "bits {}..{} of {}", at, at + width, size_);
  if (width == 0) return 0;
  std::uint64_t value = words_[at / 64] >> (at % 64);
  if (at % 64 + width > 64) value |= words_[at / 64 + 1] << (64 - at % 64);
  return value & low_bits(width);
}

std::vector<std::uint64_t> stored_coordinates(const RankEncoding& encoding, std::uint32_t bits,
                                              std::uint64_t shape,
                                              std::span<const std::uint64_t> coordinates) {
  if (stores_everything(encoding, bits)) {
    std::vector<std::uint64_t> all(shape);
    for (std::uint64_t c = 0; c < shape; ++c) all[c] = c;
    return all;
  }
  if (encoding.kind == EncodingKind::run_length) return with_run_padding(bits, coordinates);
  if (encoding.slots > 0) return fill_slots(encoding, shape, coordinates);
  return {coordinates.begin(), coordinates.end()};
}

EncodedFiber encode_fiber(const RankEncoding& encoding, std::uint32_t bits, std::uint64_t shape,
                          std::span<const std::uint64_t> stored,
                          std::span<const std::uint64_t> lengths, std::uint64_t base) {
  EncodedFiber out;
  out.payloads = stored.size();
  LACUNA_CHECK(lengths.empty() || lengths.size() == stored.size(), "{} lengths for {} payloads",
               lengths.size(), stored.size());
  std::uint64_t next = 0;
  switch (encoding.kind) {
    case EncodingKind::uncompressed:
      break;
    case EncodingKind::bitmask:
      for (const std::uint64_t c : stored) {
        for (; next < c; ++next) out.metadata.append(0, 1);
        out.metadata.append(1, 1);
        ++next;
      }
      for (; next < shape; ++next) out.metadata.append(0, 1);
      break;
    case EncodingKind::coordinate_payload:
      for (const std::uint64_t c : stored) out.metadata.append(c, bits);
      break;
    case EncodingKind::run_length:
      for (const std::uint64_t c : stored) {
        out.metadata.append(c - next, bits);
        next = c + 1;
      }
      break;
    case EncodingKind::offset_pairs: {
      if (bits == 0) break;
      std::uint64_t offset = base;
      out.metadata.append(offset, bits);
      std::size_t i = 0;
      for (std::uint64_t c = 0; c < shape; ++c) {
        if (i < stored.size() && stored[i] == c) {
          offset += lengths.empty() ? 1 : lengths[i];
          ++i;
        }
        out.metadata.append(offset, bits);
      }
      break;
    }
  }
  return out;
}

DecodedFiber decode_fiber(const RankEncoding& encoding, std::uint32_t bits, std::uint64_t shape,
                          const EncodedFiber& fiber) {
  DecodedFiber out;
  const std::uint64_t expected = metadata_bits(encoding, bits, shape, fiber.payloads);
  if (fiber.payloads > shape) {
    contradiction(encoding,
                  fmt::format("{} payloads in a fiber of {} coordinates", fiber.payloads, shape));
  }
  if (fiber.metadata.size() != expected) {
    contradiction(encoding, fmt::format("{} bits where {} payloads of {} coordinates need {}",
                                        fiber.metadata.size(), fiber.payloads, shape, expected));
  }
  if (encoding.slots > 0 && fiber.payloads != encoding.slots) {
    contradiction(encoding, fmt::format("{} payloads in {} slots", fiber.payloads, encoding.slots));
  }
  if (stores_everything(encoding, bits)) {
    if (fiber.payloads != shape) {
      contradiction(encoding, fmt::format("{} payloads for {} coordinates", fiber.payloads, shape));
    }
    out.coordinates = stored_coordinates(encoding, bits, shape, {});
    return out;
  }
  switch (encoding.kind) {
    case EncodingKind::bitmask:
      decode_bitmask(encoding, shape, fiber, out);
      break;
    case EncodingKind::offset_pairs:
      decode_offsets(encoding, bits, shape, fiber, out);
      break;
    default:
      decode_coordinates(encoding, bits, shape, fiber, out);
  }
  return out;
}

}  // namespace lacuna
