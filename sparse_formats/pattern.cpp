// SPDX-License-Identifier: Apache-2.0
#include "sparse_formats/pattern.hpp"

#include <algorithm>
#include <numeric>

namespace lacuna {
namespace {

__extension__ using Wide = unsigned __int128;

/// Members of a family beyond this are surely a slip of the pen.
constexpr std::uint64_t kMaxMenu = 1U << 16;

std::string set_text(const std::vector<std::uint32_t>& set) {
  if (set.size() == 1) return fmt::format("{}", set.front());
  std::string out = "{";
  for (std::size_t i = 0; i < set.size();) {
    std::size_t end = i;
    while (end + 1 < set.size() && set[end + 1] == set[end] + 1) ++end;
    if (i > 0) out += ",";
    out += end > i ? fmt::format("{}..{}", set[i], set[end]) : fmt::format("{}", set[i]);
    i = end + 1;
  }
  return out + "}";
}

}  // namespace

Ratio Ratio::of(std::uint64_t num, std::uint64_t den) {
  LACUNA_CHECK(den != 0, "the fraction {}/0", num);
  const std::uint64_t divisor = std::gcd(num, den);
  return {num / divisor, den / divisor};
}

std::string Ratio::text() const {
  std::uint64_t rest = den;
  int digits = 0;
  int fives = 0;
  for (; rest % 2 == 0; rest /= 2) ++digits;
  for (; rest % 5 == 0; rest /= 5) ++fives;
  digits = std::max(digits, fives);
  if (rest != 1 || digits > 18) return fmt::format("{}/{}", num, den);
  std::string out = fmt::format("{}", num / den);
  if (digits > 0) out += '.';
  for (std::uint64_t left = num % den; digits > 0; --digits) {
    const Wide ten = static_cast<Wide>(left) * 10;
    out += static_cast<char>('0' + static_cast<int>(ten / den));
    left = static_cast<std::uint64_t>(ten % den);
  }
  return out;
}

std::strong_ordering operator<=>(const Ratio& a, const Ratio& b) {
  const Wide left = static_cast<Wide>(a.num) * b.den;
  const Wide right = static_cast<Wide>(b.num) * a.den;
  if (left < right) return std::strong_ordering::less;
  return left == right ? std::strong_ordering::equal : std::strong_ordering::greater;
}

std::uint64_t share_of(Ratio share, std::uint64_t n) {
  const Wide twice = static_cast<Wide>(share.num) * n * 2 + share.den;
  return static_cast<std::uint64_t>(twice / (static_cast<Wide>(share.den) * 2));
}

Pattern Pattern::uniform(Ratio share) {
  Pattern pattern;
  pattern.kind = PatternKind::uniform;
  pattern.share = share;
  return pattern;
}

Pattern Pattern::hss(std::vector<Rule> ranks, const Place& place) {
  constexpr std::uint64_t kMaxGroup = std::uint64_t{1} << 31;
  if (ranks.empty()) throw InputError(place, "HSS needs at least one rule", "write C0(2:4)");
  std::uint64_t group = 1;
  for (const Rule& rule : ranks) {
    if (rule.g == 0) {
      throw InputError(place, fmt::format("{}:{} keeps nothing", rule.g, rule.h),
                       "G must be at least 1");
    }
    if (rule.g > rule.h) {
      throw InputError(place, fmt::format("{0}:{1} asks for {0} of {1}", rule.g, rule.h),
                       fmt::format("G must not exceed H; did you mean {}:{}?", rule.h, rule.g));
    }
    group *= rule.h;
    if (group > kMaxGroup) {
      throw InputError(place, "the rules together span more than 2^31 positions",
                       "use a smaller H or fewer ranks");
    }
  }
  Pattern pattern;
  pattern.kind = PatternKind::hss;
  pattern.ranks = std::move(ranks);
  return pattern;
}

Ratio Pattern::density() const {
  if (kind == PatternKind::dense) return {1, 1};
  if (kind != PatternKind::hss) return share;
  std::uint64_t num = 1;
  std::uint64_t den = 1;
  for (const Rule& rule : ranks) {
    num *= rule.g;
    den *= rule.h;
  }
  return Ratio::of(num, den);
}

std::uint64_t Pattern::group_size() const {
  std::uint64_t size = 1;
  for (const Rule& rule : ranks) size *= rule.h;
  return size;
}

std::string Pattern::text() const {
  switch (kind) {
    case PatternKind::dense:
      return "dense";
    case PatternKind::uniform:
      return "uniform:" + share.text();
    case PatternKind::block:
      return fmt::format("block:{}x{}:{}", block_rows, block_cols, share.text());
    case PatternKind::channel:
      return "channel:" + share.text();
    case PatternKind::hss:
      break;
  }
  if (ranks.size() == 1) return fmt::format("{}:{}", ranks[0].g, ranks[0].h);
  std::string out = "hss:";
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    out += fmt::format("{}C{}({}:{})", i > 0 ? "->" : "", ranks.size() - 1 - i, ranks[i].g,
                       ranks[i].h);
  }
  return out;
}

std::vector<Pattern> PatternFamily::menu() const {
  std::uint64_t count = 1;
  for (const RuleFamily& rank : ranks) {
    count *= rank.g.size() * rank.h.size();
    if (count > kMaxMenu) {
      throw InputError(Place{{}, 0, "pattern"},
                       fmt::format("the family has more than {} members", kMaxMenu),
                       "use smaller sets");
    }
  }
  std::vector<std::vector<Rule>> choices(1);
  for (const RuleFamily& rank : ranks) {
    std::vector<std::vector<Rule>> longer;
    for (const auto& choice : choices) {
      for (const std::uint32_t g : rank.g) {
        for (const std::uint32_t h : rank.h) {
          longer.push_back(choice);
          longer.back().push_back({g, h});
        }
      }
    }
    choices = std::move(longer);
  }
  std::vector<Pattern> menu;
  menu.reserve(choices.size());
  for (auto& choice : choices) menu.push_back(Pattern::hss(std::move(choice)));
  std::stable_sort(menu.begin(), menu.end(),
                   [](const Pattern& a, const Pattern& b) { return a.density() < b.density(); });
  return menu;
}

std::vector<Ratio> PatternFamily::degrees() const {
  std::vector<Ratio> degrees;
  for (const Pattern& pattern : menu()) degrees.push_back(pattern.density().complement());
  std::sort(degrees.begin(), degrees.end());
  degrees.erase(std::unique(degrees.begin(), degrees.end()), degrees.end());
  return degrees;
}

std::string PatternFamily::text() const {
  std::string out;
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    out += fmt::format("{}C{}({}:{})", i > 0 ? "->" : "", ranks.size() - 1 - i,
                       set_text(ranks[i].g), set_text(ranks[i].h));
  }
  return out;
}

}  // namespace lacuna
