// SPDX-License-Identifier: Apache-2.0
#include "sparse_formats/pattern_occupancy.hpp"

#include <algorithm>
#include <bit>

#include "base/interrupt.hpp"
#include "base/random.hpp"
#include "base/units.hpp"

namespace lacuna {
namespace {

/// Small bounded draws, two from each 64-bit number (Lemire 2019, without bias).
class SmallDraws {
 public:
  explicit SmallDraws(RandomStream& random) : random_(random) {}

  std::uint32_t below(std::uint32_t bound) {
    std::uint64_t product = std::uint64_t{next()} * bound;
    if (static_cast<std::uint32_t>(product) < bound) [[unlikely]] {
      const std::uint32_t threshold = (0U - bound) % bound;
      while (static_cast<std::uint32_t>(product) < threshold) {
        product = std::uint64_t{next()} * bound;
      }
    }
    return static_cast<std::uint32_t>(product >> 32);
  }

 private:
  std::uint32_t next() {
    full_ = !full_;
    if (full_) buffer_ = random_();
    const auto half = static_cast<std::uint32_t>(buffer_);
    buffer_ >>= 32;
    return half;
  }

  RandomStream& random_;
  std::uint64_t buffer_ = 0;
  bool full_ = false;
};

/// A uniformly random subset of g out of h, as bits. Small families of subsets are tabulated, so
/// that a draw is one number; others use Floyd's algorithm.
class SubsetDraw {
 public:
  SubsetDraw(std::uint32_t g, std::uint32_t h, bool tabulate) : g_(g), h_(h) {
    constexpr std::uint64_t kMaxTable = 4096;
    std::uint64_t count = 1;  // h choose g
    const std::uint32_t smaller = std::min(g, h - g);
    for (std::uint32_t i = 0; i < smaller && count <= kMaxTable; ++i) {
      count = count * (h - i) / (i + 1);
    }
    mask_.resize(ceil_div(h, 64));
    if (!tabulate || h > 64 || count > kMaxTable) return;
    std::uint64_t subset = low_bits(g);
    for (std::uint64_t i = 0; i < count; ++i) {
      table_.push_back(subset);
      // The next larger number with as many bits (Gosper); the last step is not taken.
      if (i + 1 == count) break;
      const std::uint64_t lowest = subset & (0 - subset);
      const std::uint64_t ripple = subset + lowest;
      subset = ripple | (((subset ^ ripple) / lowest) >> 2);
    }
  }

  [[nodiscard]] bool tabulated() const { return !table_.empty(); }
  /// For tabulated subsets.
  std::uint64_t draw_word(SmallDraws& random) {
    return table_[random.below(static_cast<std::uint32_t>(table_.size()))];
  }
  /// Valid until the next draw.
  std::span<const std::uint64_t> draw(SmallDraws& random) {
    if (tabulated()) {
      mask_[0] = draw_word(random);
      return mask_;
    }
    std::fill(mask_.begin(), mask_.end(), 0);
    for (std::uint32_t j = h_ - g_; j < h_; ++j) {
      const std::uint32_t t = random.below(j + 1);
      const std::uint32_t pick = (mask_[t / 64] >> (t % 64) & 1U) != 0 ? j : t;
      mask_[pick / 64] |= std::uint64_t{1} << (pick % 64);
    }
    return mask_;
  }

 private:
  std::uint32_t g_;
  std::uint32_t h_;
  std::vector<std::uint64_t> table_;
  std::vector<std::uint64_t> mask_;
};

/// Fills rows group by group, from the outermost rank inwards.
class HssFill {
 public:
  HssFill(std::vector<Rule> ranks, RandomStream& random) : random_(random) {
    // Outermost rules that keep everything choose nothing.
    while (ranks.size() > 1 && ranks.front().g == ranks.front().h) ranks.erase(ranks.begin());
    std::uint64_t size = 1;
    for (auto rule = ranks.rbegin(); rule != ranks.rend(); ++rule) {
      levels_.push_back({*rule, size, SubsetDraw(rule->g, rule->h, true)});
      size *= rule->h;
    }
    group_ = size;
  }

  void row(std::span<std::uint64_t> words, std::uint64_t cols) {
    for (std::uint64_t at = 0; at < cols; at += group_) {
      fill(levels_.size() - 1, words, at, std::min(group_, cols - at));
    }
  }

 private:
  struct Level {
    Rule rule;
    std::uint64_t child;  // positions below one coordinate of this rank
    SubsetDraw subset;
  };

  void fill(std::size_t rank, std::span<std::uint64_t> words, std::uint64_t at,
            std::uint64_t length) {
    Level& level = levels_[rank];
    if (rank == 0 && length >= level.rule.h && level.subset.tabulated()) {  // nearly always
      place(words, at, level.subset.draw_word(random_));
      return;
    }
    const auto children = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(level.rule.h, ceil_div(length, level.child)));
    if (children < level.rule.h) {  // the end of a fiber
      SubsetDraw partial(std::min(level.rule.g, children), children, false);
      spread(rank, partial.draw(random_), words, at, length);
    } else {
      spread(rank, level.subset.draw(random_), words, at, length);
    }
  }

  static void place(std::span<std::uint64_t> words, std::uint64_t at, std::uint64_t bits) {
    words[at / 64] |= bits << (at % 64);
    if (at % 64 != 0 && bits >> (64 - at % 64) != 0) {
      words[at / 64 + 1] |= bits >> (64 - at % 64);
    }
  }

  void spread(std::size_t rank, std::span<const std::uint64_t> chosen,
              std::span<std::uint64_t> words, std::uint64_t at, std::uint64_t length) {
    if (rank == 0) {
      for (const std::uint64_t bits : chosen) {
        place(words, at, bits);
        at += 64;
      }
      return;
    }
    const std::uint64_t child = levels_[rank].child;
    for (std::size_t w = 0; w < chosen.size(); ++w) {
      // `chosen` stays valid: a rank never draws while one of its own draws is being spread.
      for (std::uint64_t left = chosen[w]; left != 0; left &= left - 1) {
        const std::uint64_t offset =
            (w * 64 + static_cast<unsigned>(std::countr_zero(left))) * child;
        fill(rank - 1, words, at + offset, std::min(child, length - offset));
      }
    }
  }

  SmallDraws random_;
  std::vector<Level> levels_;  // inner -> outer
  std::uint64_t group_ = 1;
};

/// 64 independent bits, each one with probability `share` exactly: compares random binary fractions
/// with the expansion of `share`, digit by digit, until every bit is decided (about 8 numbers).
std::uint64_t biased_word(RandomStream& random, Ratio share) {
  std::uint64_t result = 0;
  std::uint64_t undecided = ~std::uint64_t{0};
  std::uint64_t rest = share.num;  // share = 1 is handled by the caller
  while (undecided != 0 && rest != 0) {
    rest *= 2;
    const std::uint64_t draw = random();
    if (rest >= share.den) {
      rest -= share.den;
      result |= undecided & ~draw;  // below the digit 1: smaller than share
      undecided &= draw;
    } else {
      undecided &= ~draw;  // above the digit 0: larger
    }
  }
  return result;
}

/// Exactly share_of(share, positions) positions, every such set equally likely: a set drawn
/// position by position is uniform among the sets of its own size, and stays so when random members
/// are added or removed until the size fits.
void fill_uniform(BitMatrix& out, Ratio share, RandomStream& random) {
  constexpr std::uint64_t kDirect = 64;
  const std::uint64_t total = out.rows() * out.cols();
  if (total == 0) return;
  LACUNA_CHECK(share.num <= share.den && share.den < std::uint64_t{1} << 62, "the share {}/{}",
               share.num, share.den);
  const std::uint64_t target = share_of(share, total);
  std::uint64_t have = 0;
  if (target >= total / kDirect && total - target >= total / kDirect) {
    for (std::uint64_t r = 0; r < out.rows(); ++r) {
      stop_if_requested();
      const auto words = out.row(r);
      for (auto& word : words) word = biased_word(random, share);
      if (out.cols() % 64 != 0) words.back() &= low_bits(out.cols() % 64);
    }
    have = out.count();
  } else if (target > total / 2) {
    out = BitMatrix::full(out.rows(), out.cols());
    have = total;
  }
  const bool add = have < target;
  while (have != target) {
    stop_if_requested();
    const std::uint64_t at = random.below(total);
    const std::uint64_t r = at / out.cols();
    const std::uint64_t c = at % out.cols();
    if (out.get(r, c) == add) continue;
    out.set(r, c, add);
    have = add ? have + 1 : have - 1;
  }
}

void fill_blocks(BitMatrix& out, const Pattern& pattern, RandomStream& random) {
  BitMatrix grid(ceil_div(out.rows(), pattern.block_rows),
                 ceil_div(out.cols(), pattern.block_cols));
  fill_uniform(grid, pattern.share, random);
  for (std::uint64_t r = 0; r < out.rows(); ++r) {
    stop_if_requested();
    const std::uint64_t grid_row = r / pattern.block_rows;
    if (r % pattern.block_rows != 0) {  // as the row above
      std::copy(out.row(r - 1).begin(), out.row(r - 1).end(), out.row(r).begin());
      continue;
    }
    for (std::uint64_t g = 0; g < grid.cols(); ++g) {
      if (!grid.get(grid_row, g)) continue;
      const std::uint64_t c0 = g * pattern.block_cols;
      out.set_range(r, c0, std::min(out.cols(), c0 + pattern.block_cols));
    }
  }
}

void fill_channels(BitMatrix& out, Ratio share, RandomStream& random) {
  BitMatrix channels(1, out.cols());
  fill_uniform(channels, share, random);
  for (std::uint64_t r = 0; r < out.rows(); ++r) {
    std::copy(channels.row(0).begin(), channels.row(0).end(), out.row(r).begin());
  }
}

}  // namespace

BitMatrix make_occupancy(const Pattern& pattern, std::uint64_t rows, std::uint64_t cols,
                         std::uint64_t seed, const OccupancyOptions& options) {
  RandomStream random(seed, options.stream);
  const bool turned = options.axis == Axis::along_column &&
                      (pattern.kind == PatternKind::hss || pattern.kind == PatternKind::channel);
  if (turned) {
    return make_occupancy(pattern, cols, rows, seed, {Axis::along_row, options.stream})
        .transposed();
  }
  BitMatrix out(rows, cols);
  if (rows == 0 || cols == 0) return out;
  switch (pattern.kind) {
    case PatternKind::dense:
      return BitMatrix::full(rows, cols);
    case PatternKind::uniform:
      fill_uniform(out, pattern.share, random);
      break;
    case PatternKind::hss: {
      HssFill fill(pattern.ranks, random);
      for (std::uint64_t r = 0; r < rows; ++r) {
        stop_if_requested();
        fill.row(out.row(r), cols);
      }
      break;
    }
    case PatternKind::block:
      fill_blocks(out, pattern, random);
      break;
    case PatternKind::channel:
      fill_channels(out, pattern.share, random);
      break;
  }
  return out;
}

}  // namespace lacuna
