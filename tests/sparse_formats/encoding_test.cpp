// SPDX-License-Identifier: Apache-2.0
#include "sparse_formats/encoding.hpp"

#include "base/random.hpp"
#include "sparse_formats/encoding_fiber.hpp"
#include "sparse_formats/pattern_occupancy.hpp"
#include "tests/catch.hpp"

using namespace lacuna;
using lacuna::test::error_of;

namespace {

BitMatrix row_of(std::uint64_t cols, std::initializer_list<std::uint64_t> set) {
  BitMatrix bits(1, cols);
  for (const std::uint64_t c : set) bits.set(0, c);
  return bits;
}

bool says(const std::string& message, std::string_view part) {
  INFO(message);
  const bool found = message.find(part) != std::string::npos;
  CHECK(found);
  return found;
}

}  // namespace

TEST_CASE("an encoding stack prints as it is written") {
  for (const char* text : {"UOP(0b),CP(3b,4)[8],CP(2b,2)[4]", "UOP,CP", "U,B", "UOP(0b),RLE(2b)[6]",
                           "B,B[64]", "UOP(16b),U[4],CP[8]"}) {
    CHECK(parse_encoding(text).text() == text);
  }
  CHECK(structured_cp(parse_pattern("C1(4:8)->C0(2:4)")).text() ==
        "UOP(0b),CP(3b,4)[8],CP(2b,2)[4]");
  CHECK(structured_cp(parse_pattern("2:6")).text() == "UOP(0b),CP(3b,2)[6]");
  CHECK(structured_cp(Pattern::dense()).text() == "UOP(0b),U");
  CHECK(structured_rle({2, 6}, 2).text() == "UOP(0b),RLE(2b)[6]");
  const std::pair<const char*, const char*> bad[] = {
      {"UOP,XP", "'XP' is not a rank encoding"},
      {"", "'' is not a rank encoding"},
      {"UOP,", "'' is not a rank encoding"},
      {"UOP(3)", "expected 'b'"},
      {"CP(33b)", "at most 32"},
      {"B(1b)", "takes no width"},
      {"U,RLE(2b,3)", "only CP has slots"},
      {"U,CP(2b,0)", "stores nothing"},
      {"U,U,CP(2b)[4]", "has no shape"},
      {"U[4],CP", "no shape of its own"},
      {"U,CP[0]", "holds nothing"},
      {"U,CP[4", "expected ']' at the end"},
      {"U;CP", "'U;CP' is not a rank encoding"},
  };
  for (const auto& [text, part] : bad) {
    says(error_of([&, t = text] { (void)parse_encoding(t); }), part);
  }
}

TEST_CASE("metadata bits of hand-counted fibers") {
  const auto bits = row_of(16, {3, 4, 12});
  const auto count = [&](const char* text) { return footprint(parse_encoding(text), bits, 8); };
  CHECK(count("U,U").metadata == Bits(0));
  CHECK(count("U,U").data == Bits(16 * 8));
  CHECK(count("U,B").metadata == Bits(16));
  CHECK(count("U,B").data == Bits(3 * 8));
  CHECK(count("U,CP").metadata == Bits(3 * 4));
  CHECK(count("U,RLE").metadata == Bits(3 * 4));
  CHECK(count("UOP,CP").metadata == Bits(2 * 2 + 3 * 4));  // two offsets up to 3
  CHECK(count("UOP(16b),CP").metadata == Bits(2 * 16 + 3 * 4));
  CHECK(count("U,UOP").metadata == Bits(17 * 2));
  // Runs 3, 0, 7 with 2 bits: the gap of 7 stores a zero after 3 skipped and has 3 left.
  const auto rle = count("U,RLE(2b)");
  CHECK(rle.ranks[1].padding == 1);
  CHECK(rle.metadata == Bits(4 * 2));
  CHECK(rle.data == Bits(4 * 8));
  // Blocks of 4: 0 and 1 and 3 are not empty.
  const auto nested = count("U,CP(2b)[4],CP(2b)[4]");
  CHECK(nested.ranks[1].payloads == 3);
  CHECK(nested.metadata == Bits(3 * 2 + 3 * 2));
  // Fixed slots: every stored block has two, one of them empty.
  const auto slots = count("U,CP(2b)[4],CP(2b,2)[4]");
  CHECK(slots.data_words == 6);
  CHECK(slots.ranks[2].padding == 3);
  CHECK(slots.metadata == Bits(3 * 2 + 6 * 2));
}

TEST_CASE("structured operands carry the published bits per nonzero") {
  const auto hss = parse_pattern("C1(4:8)->C0(2:4)");
  const auto a = make_occupancy(hss, 16, 320, 1);
  const auto stored = footprint(structured_cp(hss), a, 8);
  CHECK(stored.data_words == a.count());
  CHECK(stored.metadata.count() * 2 == a.count() * 7);  // 3.5 bits: (2 * 2 + 3) / 2
  const auto two_four = make_occupancy(parse_pattern("2:4"), 16, 320, 1);
  CHECK(footprint(structured_cp(parse_pattern("2:4")), two_four, 8).metadata.count() ==
        2 * two_four.count());
  CHECK(footprint(structured_cp(Pattern::dense()), BitMatrix::full(4, 8), 8).metadata == Bits(0));
  const auto b = make_occupancy(parse_pattern("uniform:0.5"), 64, 128, 1);
  CHECK(footprint(row_bitmask(), b, 8).metadata == Bits(64 * 128));
  CHECK(footprint(two_level_bitmask(32), b, 8).metadata == Bits(64 * 4 + 64 * 128));
  // 6 bits per group of 32, 6 per block of 4, 2 per nonzero: 2 dB + 1.6875 per element.
  CHECK(block_offset_metadata(b, 8, 4) == Bits(2 * 64 * 64 + 64 * 128 * 27 / 16));
}

TEST_CASE("a tail is stored as a group filled up with empty coordinates") {
  const auto bits = row_of(6, {0, 5});
  const auto bitmask = footprint(parse_encoding("U,U[2],B[4]"), bits, 8);
  CHECK(bitmask.metadata == Bits(8));
  CHECK(footprint(parse_encoding("U,U[4]"), bits, 8).data_words == 8);
}

TEST_CASE("what a stack cannot hold is refused") {
  const auto bits = row_of(16, {0, 1, 2, 12});
  const auto message = [&](const char* text) {
    return error_of([&] { (void)footprint(parse_encoding(text), bits, 8); });
  };
  says(message("U,CP(3b)"), "it needs 4 bits");
  says(message("U,CP(2b,2)[4]"), "a fiber holds 3 non-empty payloads");
  says(message("U,CP(2b,5)[4]"), "more slots than the 4 coordinates");
  says(message("UOP(2b),CP"), "offsets of UOP(2b) overflow");
  says(error_of([&] { (void)footprint({{RankEncoding{}}, {4}}, bits, 8); }), "inner shapes");
  CHECK_THROWS_AS(footprint(parse_encoding("U,U[2147483648],U[2147483648]"), bits, 8), InputError);
}

TEST_CASE("encoded matrices read back as themselves, with the bits that were counted") {
  const char* stacks[] = {"U",
                          "B",
                          "CP",
                          "RLE(3b)",
                          "UOP",
                          "U,CP",
                          "UOP,CP",
                          "UOP,B",
                          "UOP,RLE(1b)",
                          "RLE(1b),RLE(2b)",
                          "UOP,UOP[7],CP[5]",
                          "UOP(0b),CP(3b)[8],CP(2b)[4]",
                          "UOP(0b),CP(3b,8)[8],CP(2b,4)[4]",
                          "CP,B[3],RLE(0b)[9]",
                          "U,UOP[4],U[4]",
                          "B,B[16]",
                          "UOP,RLE(1b)[8],B[4]"};
  for (const char* text : stacks) {
    const auto stack = parse_encoding(text);
    for (const auto& [rows, cols] :
         {std::pair{1ULL, 1ULL}, {5ULL, 33ULL}, {13ULL, 128ULL}, {0ULL, 4ULL}, {4ULL, 0ULL}}) {
      for (const char* pattern : {"uniform:0", "uniform:0.05", "uniform:0.5", "dense"}) {
        INFO(text << " " << rows << "x" << cols << " " << pattern);
        const auto bits = make_occupancy(parse_pattern(pattern), rows, cols, 3);
        const auto encoded = encode(stack, bits);
        const bool same = decode(encoded) == bits;
        CHECK(same);
        const auto counted = footprint(stack, bits, 8);
        CHECK(counted.data_words == encoded.words.size());
        for (std::size_t rank = 0; rank < stack.ranks.size(); ++rank) {
          std::uint64_t metadata = 0;
          std::uint64_t payloads = 0;
          for (const auto& fiber : encoded.fibers[rank]) {
            metadata += fiber.metadata.size();
            payloads += fiber.payloads;
          }
          CHECK(counted.ranks[rank].metadata == Bits(metadata));
          CHECK(counted.ranks[rank].payloads == payloads);
          CHECK(counted.ranks[rank].fibers == encoded.fibers[rank].size());
        }
      }
    }
  }
}

TEST_CASE("metadata that contradicts the tensor is refused") {
  const RankEncoding cp{EncodingKind::coordinate_payload, 3, 0};
  const RankEncoding rle{EncodingKind::run_length, 3, 0};
  const RankEncoding mask{EncodingKind::bitmask, {}, 0};
  const RankEncoding uop{EncodingKind::offset_pairs, 3, 0};
  const auto message = [](const RankEncoding& encoding, std::uint32_t bits, std::uint64_t shape,
                          std::uint64_t payloads, std::initializer_list<std::uint64_t> fields) {
    EncodedFiber fiber;
    fiber.payloads = payloads;
    for (const std::uint64_t field : fields) fiber.metadata.append(field, bits);
    return error_of([&] { (void)decode_fiber(encoding, bits, shape, fiber); });
  };
  CHECK(message(cp, 3, 6, 2, {1, 5}).empty());
  says(message(cp, 3, 6, 2, {1, 6}), "payload 1 lies at coordinate 6 of 6");
  says(message(cp, 3, 6, 2, {3, 3}), "coordinate 3 does not follow 3");
  says(message(cp, 3, 6, 3, {1, 2}), "6 bits where 3 payloads of 6 coordinates need 9");
  says(message(cp, 3, 6, 7, {}), "7 payloads in a fiber of 6");
  says(message(rle, 3, 6, 2, {3, 2}), "payload 1 lies at coordinate 6 of 6");
  says(message(mask, 1, 3, 2, {1, 0, 0}), "marks 1 payloads, 2 are stored");
  says(message(uop, 3, 2, 1, {0, 2, 1}), "falls to 1");
  says(message(uop, 3, 2, 1, {0, 1, 2}), "hold 2 payloads, 1 are stored");

  auto encoded = encode(parse_encoding("UOP,CP"), row_of(8, {1, 4}));
  auto shifted = encoded;
  shifted.words.push_back(true);
  says(error_of([&] { (void)decode(shifted); }), "3 words for 2 payloads");
  auto missing = encoded;
  missing.fibers[1].clear();
  says(error_of([&] { (void)decode(missing); }), "has 0 fibers");
  auto fewer = encoded;
  fewer.fibers[1][0] = encode_fiber(cp, 3, 8, std::vector<std::uint64_t>{1});
  says(error_of([&] { (void)decode(fewer); }), "offsets give 2 payloads");
}

TEST_CASE("any flipped metadata bit is either refused or read as another tensor") {
  const auto bits = make_occupancy(parse_pattern("uniform:0.3"), 4, 24, 9);
  for (const char* text : {"UOP,CP", "UOP,B", "UOP,RLE(2b)", "UOP,UOP[6],CP[4]", "B,B[8]"}) {
    const auto encoded = encode(parse_encoding(text), bits);
    for (std::size_t rank = 0; rank < encoded.fibers.size(); ++rank) {
      for (std::size_t f = 0; f < encoded.fibers[rank].size(); ++f) {
        for (std::uint64_t b = 0; b < encoded.fibers[rank][f].metadata.size(); ++b) {
          auto flipped = encoded;
          flipped.fibers[rank][f].metadata.flip(b);
          bool differs = false;
          try {
            differs = decode(flipped) != bits;
          } catch (const InputError&) {
            differs = true;
          }
          if (!differs) FAIL_CHECK(text << " rank " << rank << " fiber " << f << " bit " << b);
        }
      }
    }
  }
}
