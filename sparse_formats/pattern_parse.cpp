// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>

#include "sparse_formats/pattern.hpp"

namespace lacuna {
namespace {

constexpr std::uint32_t kMaxSetSize = 1024;

/// Without blanks, and with the typographic arrow and sign written in ASCII.
std::string plain(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i, 3) == "\xE2\x86\x92") {  // U+2192
      out += "->";
      i += 2;
    } else if (text.substr(i, 3) == "\xE2\x89\xA4") {  // U+2264
      out += "<=";
      i += 2;
    } else if (std::isspace(static_cast<unsigned char>(text[i])) == 0) {
      out += text[i];
    }
  }
  return out;
}

std::vector<std::string_view> split(std::string_view text, std::string_view separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + separator.size());
  }
}

std::optional<std::uint64_t> digits(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return {};
  return value;
}

/// One pattern or family while it is being read; knows the whole text for its messages.
class PatternParser {
 public:
  PatternParser(std::string_view text, const Place& place)
      : given_(text), text_(plain(text)), place_(place) {}

  [[nodiscard]] Pattern pattern() const;
  [[nodiscard]] PatternFamily family(std::string_view body) const;
  [[nodiscard]] std::string_view without_prefix() const {
    std::string_view body = text_;
    if (body.starts_with("hss:")) body.remove_prefix(4);
    return body;
  }

 private:
  [[noreturn]] void fail(const std::string& problem, const std::string& suggestion = {}) const {
    throw InputError(place_, fmt::format("in '{}': {}", given_, problem), suggestion);
  }
  [[nodiscard]] std::uint32_t number(std::string_view text, std::string_view what) const;
  [[nodiscard]] std::vector<std::uint32_t> set(std::string_view text, std::string_view what) const;
  void add_range(std::vector<std::uint32_t>& out, std::string_view low, std::string_view high,
                 std::string_view what) const;
  [[nodiscard]] RuleFamily rule(std::string_view text) const;
  [[nodiscard]] Ratio share(std::string_view text) const;
  [[nodiscard]] Pattern block(std::string_view body) const;
  [[nodiscard]] Pattern hss(std::string_view body) const;

  std::string given_;
  std::string text_;
  Place place_;
};

std::uint32_t PatternParser::number(std::string_view text, std::string_view what) const {
  constexpr std::uint64_t kMaxH = 1U << 16;
  const auto value = digits(text);
  if (!value) fail(fmt::format("{} '{}' is not a whole number", what, text));
  if (*value > kMaxH) fail(fmt::format("{} {} is larger than {}", what, *value, kMaxH));
  return static_cast<std::uint32_t>(*value);
}

void PatternParser::add_range(std::vector<std::uint32_t>& out, std::string_view low,
                              std::string_view high, std::string_view what) const {
  const std::uint32_t first = number(low, what);
  const std::uint32_t last = number(high, what);
  if (first > last) fail(fmt::format("the range {}..{} is empty", first, last));
  if (last - first >= kMaxSetSize) {
    fail(fmt::format("the range {}..{} has more than {} members", first, last, kMaxSetSize));
  }
  for (std::uint32_t value = first; value <= last; ++value) out.push_back(value);
}

std::vector<std::uint32_t> PatternParser::set(std::string_view text, std::string_view what) const {
  std::vector<std::uint32_t> out;
  if (!text.starts_with('{')) return {number(text, what)};
  if (!text.ends_with('}')) fail(fmt::format("'{}' misses its closing '}}'", text));
  for (const std::string_view item : split(text.substr(1, text.size() - 2), ",")) {
    const auto bounds = split(item, "<=");
    if (bounds.size() == 3) {
      add_range(out, bounds[0], bounds[2], what);
    } else if (const auto ends = split(item, ".."); ends.size() == 2) {
      add_range(out, ends[0], ends[1], what);
    } else {
      out.push_back(number(item, what));
    }
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

RuleFamily PatternParser::rule(std::string_view text) const {
  const auto parts = split(text, ":");
  if (parts.size() != 2) {
    fail(fmt::format("'{}' is not a rule", text), "write G:H, such as 2:4");
  }
  RuleFamily family{set(parts[0], "G"), set(parts[1], "H")};
  for (const std::uint32_t g : family.g) {
    for (const std::uint32_t h : family.h) (void)Pattern::hss({{g, h}}, place_);
  }
  return family;
}

PatternFamily PatternParser::family(std::string_view body) const {
  const auto parts = split(body, "->");
  PatternFamily out;
  if (parts.size() == 1 && body.find('(') == std::string_view::npos) {
    out.ranks.push_back(rule(body));
    return out;
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::string_view part = parts[i];
    const std::string expected = fmt::format("C{}", parts.size() - 1 - i);
    const auto open = part.find('(');
    const std::string_view name = part.substr(0, open);
    if (name.empty()) {
      fail("a rank has no name", fmt::format("write it as {}(G:H)", expected));
    }
    const bool has_rule = open != std::string_view::npos;
    // Ranks that lead and carry no rule (RS, C2, ...) only say how the tensor is laid out.
    if (!has_rule && out.ranks.empty() && name != "C0") {
      const bool numbered = name.starts_with('C') && digits(name.substr(1));
      if (!numbered || name == expected) continue;
    }
    if (!has_rule && name == expected) {
      fail(fmt::format("rank {} carries no rule", name),
           fmt::format("every rank below the first rule needs one: {}(G:H)", name));
    }
    if (name != expected) {
      fail(fmt::format("expected rank {}, found '{}'", expected, name),
           "ranks are named outer to inner, down to C0, without a gap: C1(4:8)->C0(2:4)");
    }
    if (!has_rule || !part.ends_with(')'))
      fail(fmt::format("rank {} misses its closing ')'", name));
    out.ranks.push_back(rule(part.substr(open + 1, part.size() - open - 2)));
  }
  return out;
}

Ratio PatternParser::share(std::string_view text) const {
  constexpr int kMaxDigits = 18;
  const auto bad = [&] {
    fail(fmt::format("'{}' is not a share", text),
         "write a number from 0 to 1, such as 0.25, 1/4 or 25%");
  };
  if (const auto parts = split(text, "/"); parts.size() == 2) {
    const auto num = digits(parts[0]);
    const auto den = digits(parts[1]);
    constexpr std::uint64_t kMaxDen = 1'000'000'000'000'000'000;
    if (!num || !den || *den == 0 || *num > *den || *den > kMaxDen) bad();
    return Ratio::of(*num, *den);
  }
  int scale = 0;  // value = mantissa / 10^scale
  std::string_view body = text;
  if (body.ends_with('%')) {
    body.remove_suffix(1);
    scale = 2;
  }
  if (const auto at = body.find_first_of("eE"); at != std::string_view::npos) {
    std::string_view exponent = body.substr(at + 1);
    const bool negative = exponent.starts_with('-');
    if (negative || exponent.starts_with('+')) exponent.remove_prefix(1);
    const auto size = digits(exponent);
    if (!size || *size > kMaxDigits) bad();
    scale += negative ? static_cast<int>(*size) : -static_cast<int>(*size);
    body = body.substr(0, at);
  }
  std::string mantissa;
  const auto parts = split(body, ".");
  if (parts.size() > 2) bad();
  mantissa = std::string(parts[0]);
  if (parts.size() == 2) {
    mantissa += parts[1];
    scale += static_cast<int>(std::min<std::size_t>(parts[1].size(), 100));
  }
  const auto value = digits(mantissa);
  if (!value || scale > kMaxDigits || scale < -kMaxDigits) bad();
  std::uint64_t power = 1;
  for (int i = 0; i < std::abs(scale); ++i) power *= 10;
  if (scale < 0 && *value > 0) bad();
  const Ratio out = *value == 0 ? Ratio{0, 1} : Ratio::of(*value, power);
  if (out.num > out.den) {
    fail(fmt::format("the share {} is larger than 1", text), "a share is from 0 to 1; 25% is 0.25");
  }
  return out;
}

Pattern PatternParser::block(std::string_view body) const {
  const auto parts = split(body, ":");
  const auto sides = split(parts[0], "x");
  if (parts.size() != 2 || sides.size() != 2) {
    fail("a block pattern has a shape and a share", "write block:32x32:0.25");
  }
  Pattern pattern;
  pattern.kind = PatternKind::block;
  pattern.block_rows = number(sides[0], "block height");
  pattern.block_cols = number(sides[1], "block width");
  if (pattern.block_rows == 0 || pattern.block_cols == 0) fail("a block has no elements");
  pattern.share = share(parts[1]);
  return pattern;
}

Pattern PatternParser::hss(std::string_view body) const {
  std::vector<Rule> rules;
  for (const RuleFamily& rank : family(body).ranks) {
    if (rank.g.size() != 1 || rank.h.size() != 1) {
      fail("this is a family of patterns, expected a single one",
           "choose one G and one H for every rank");
    }
    rules.push_back({rank.g.front(), rank.h.front()});
  }
  if (rules.empty()) fail("no rank carries a rule", "write C0(2:4)");
  return Pattern::hss(std::move(rules), place_);
}

Pattern PatternParser::pattern() const {
  if (text_ == "dense") return Pattern::dense();
  const std::string_view body = text_;
  const auto colon = body.find(':');
  const std::string_view kind = body.substr(0, colon);
  const bool word = !kind.empty() && std::all_of(kind.begin(), kind.end(), [](unsigned char c) {
    return std::isalpha(c) != 0 || c == '_';
  });
  if (!word) {
    if (body.find_first_of(":(") == std::string_view::npos) {
      fail("this is not a pattern",
           body.empty() ? "write dense, uniform:0.5, 2:4, C1(4:8)->C0(2:4), block:32x32:0.25 or "
                          "channel:0.5"
                        : fmt::format("for a density write uniform:{}", body));
    }
    return hss(body);
  }
  const std::string_view rest =
      colon == std::string_view::npos ? std::string_view{} : body.substr(colon + 1);
  if (kind == "hss") return hss(rest);
  if (kind == "dense") fail("dense takes no parameter", "write dense, or uniform:0.5");
  if (kind == "block") return block(rest);
  Pattern pattern;
  if (kind == "uniform" || kind == "unstructured") {
    pattern.kind = PatternKind::uniform;
  } else if (kind == "channel") {
    pattern.kind = PatternKind::channel;
  } else {
    fail(fmt::format("'{}' is not a kind of pattern", kind),
         suggest(kind, {"dense", "uniform", "unstructured", "hss", "block", "channel"}));
  }
  if (rest.empty()) {
    fail(fmt::format("{} needs a share", kind), fmt::format("write {}:0.5", kind));
  }
  pattern.share = share(rest);
  return pattern;
}

}  // namespace

Pattern parse_pattern(std::string_view text, const Place& place) {
  return PatternParser(text, place).pattern();
}

PatternFamily parse_pattern_family(std::string_view text, const Place& place) {
  const PatternParser parser(text, place);
  PatternFamily family = parser.family(parser.without_prefix());
  if (family.ranks.empty()) {
    throw InputError(place, fmt::format("in '{}': no rank carries a rule", text),
                     "write C1(4:{4..8})->C0(2:{2..4})");
  }
  std::vector<Rule> widest;
  for (const RuleFamily& rank : family.ranks) widest.push_back({1, rank.h.back()});
  (void)Pattern::hss(std::move(widest), place);
  return family;
}

}  // namespace lacuna
