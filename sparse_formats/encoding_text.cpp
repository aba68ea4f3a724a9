// SPDX-License-Identifier: Apache-2.0
#include <charconv>

#include "sparse_formats/encoding.hpp"

namespace lacuna {
namespace {

std::string_view name_of(EncodingKind kind) {
  switch (kind) {
    case EncodingKind::uncompressed:
      return "U";
    case EncodingKind::bitmask:
      return "B";
    case EncodingKind::coordinate_payload:
      return "CP";
    case EncodingKind::run_length:
      return "RLE";
    case EncodingKind::offset_pairs:
      break;
  }
  return "UOP";
}

/// Reads "UOP(0b),CP(3b,4)[8],CP(2b,2)[4]" from left to right.
class EncodingParser {
 public:
  EncodingParser(std::string_view text, const Place& place) : given_(text), place_(place) {
    for (const char c : text) {
      if (c != ' ') text_ += c;
    }
    rest_ = text_;
  }

  EncodingStack stack() {
    EncodingStack out;
    std::vector<std::optional<std::uint64_t>> shapes;
    do {
      out.ranks.push_back(rank());
      shapes.push_back(shape());
    } while (take(','));
    if (!rest_.empty()) fail(fmt::format("unexpected '{}'", rest_), "separate ranks by commas");
    if (shapes.front()) {
      fail("the outermost rank has no shape of its own", "it runs over all groups of all rows");
    }
    for (std::size_t i = 1; i < shapes.size(); ++i) {
      if (!shapes[i] && shapes.size() > 2) {
        fail(fmt::format("rank {} ({}) has no shape", i, out.ranks[i].text()),
             fmt::format("write it in brackets: {}[4]", out.ranks[i].text()));
      }
      out.inner_shapes.push_back(shapes[i].value_or(0));
    }
    return out;
  }

 private:
  [[noreturn]] void fail(const std::string& problem, const std::string& suggestion = {}) const {
    throw InputError(place_, fmt::format("in '{}': {}", given_, problem), suggestion);
  }
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void need(char c) {
    if (take(c)) return;
    fail(rest_.empty() ? fmt::format("expected '{}' at the end", c)
                       : fmt::format("expected '{}' before '{}'", c, rest_));
  }
  std::uint64_t number(std::string_view what, std::uint64_t high) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc{} || value > high) {
      fail(fmt::format("expected {} (at most {}) at '{}'", what, high, rest_));
    }
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return value;
  }

  RankEncoding rank() {
    const std::string_view name = rest_.substr(0, rest_.find_first_of("([,"));
    RankEncoding out;
    bool known = false;
    for (const auto kind :
         {EncodingKind::uncompressed, EncodingKind::bitmask, EncodingKind::coordinate_payload,
          EncodingKind::run_length, EncodingKind::offset_pairs}) {
      if (name == name_of(kind)) {
        out.kind = kind;
        known = true;
      }
    }
    if (!known) {
      fail(fmt::format("'{}' is not a rank encoding", name), "expected one of: U, B, CP, RLE, UOP");
    }
    rest_.remove_prefix(name.size());
    if (!take('(')) return out;
    if (out.kind == EncodingKind::uncompressed || out.kind == EncodingKind::bitmask) {
      fail(fmt::format("{} takes no width", name));
    }
    constexpr std::uint64_t kMaxBits = 32;
    out.bits = static_cast<std::uint32_t>(number("a width in bits", kMaxBits));
    need('b');
    if (take(',')) {
      if (out.kind != EncodingKind::coordinate_payload) fail("only CP has slots");
      out.slots = static_cast<std::uint32_t>(number("a number of slots", 1U << 16));
      if (out.slots == 0) fail("CP with no slots stores nothing");
    }
    need(')');
    return out;
  }

  std::optional<std::uint64_t> shape() {
    if (!take('[')) return {};
    const std::uint64_t value = number("a shape", std::uint64_t{1} << 31);
    if (value == 0) fail("a rank of shape 0 holds nothing");
    need(']');
    return value;
  }

  std::string given_;
  std::string text_;
  std::string_view rest_;
  Place place_;
};

RankEncoding with_bits(EncodingKind kind, std::uint32_t bits, std::uint32_t slots = 0) {
  return {kind, bits, slots};
}

}  // namespace

std::string RankEncoding::text() const {
  std::string out(name_of(kind));
  if (!bits) return out;
  out += fmt::format("({}b", *bits);
  if (slots > 0) out += fmt::format(",{}", slots);
  return out + ")";
}

std::string EncodingStack::text() const {
  std::string out;
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    if (i > 0) out += ",";
    out += ranks[i].text();
    if (i > 0 && inner_shapes[i - 1] != 0) out += fmt::format("[{}]", inner_shapes[i - 1]);
  }
  return out;
}

EncodingStack parse_encoding(std::string_view text, const Place& place) {
  return EncodingParser(text, place).stack();
}

EncodingStack structured_cp(const Pattern& pattern) {
  EncodingStack out;
  out.ranks.push_back(with_bits(EncodingKind::offset_pairs, 0));
  for (const Rule& rule : pattern.ranks) {
    out.ranks.push_back(with_bits(EncodingKind::coordinate_payload, bits_for(rule.h), rule.g));
    out.inner_shapes.push_back(rule.h);
  }
  if (pattern.ranks.empty()) {
    out.ranks.push_back({});
    out.inner_shapes.push_back(0);
  }
  return out;
}

EncodingStack structured_rle(Rule rule, std::uint32_t bits) {
  return {{with_bits(EncodingKind::offset_pairs, 0), with_bits(EncodingKind::run_length, bits)},
          {rule.h}};
}

EncodingStack row_bitmask() {
  return {{with_bits(EncodingKind::offset_pairs, 0), {EncodingKind::bitmask, {}, 0}}, {0}};
}

EncodingStack two_level_bitmask(std::uint64_t tile) {
  return {{{EncodingKind::bitmask, {}, 0}, {EncodingKind::bitmask, {}, 0}}, {tile}};
}

std::uint32_t bits_for(std::uint64_t n) {
  std::uint32_t bits = 0;
  while (bits < 63 && (std::uint64_t{1} << bits) < n) ++bits;
  return bits;
}

}  // namespace lacuna
