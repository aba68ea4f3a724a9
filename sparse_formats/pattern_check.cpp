// SPDX-License-Identifier: Apache-2.0
#include "sparse_formats/pattern_check.hpp"

#include <algorithm>

#include "base/units.hpp"

namespace lacuna {
namespace {

/// The rules of one pattern, inner -> outer, checked on rows of k.
class HssCheck {
 public:
  HssCheck(const std::vector<Rule>& ranks, const BitMatrix& bits, Tail tail)
      : bits_(bits), rules_(ranks.rbegin(), ranks.rend()) {
    for (const Rule& rule : rules_) sizes_.push_back(sizes_.back() * rule.h);
    end_ = tail == Tail::padded ? bits.cols() : bits.cols() / sizes_.back() * sizes_.back();
  }

  std::optional<Violation> run() {
    for (std::uint64_t r = 0; r < bits_.rows(); ++r) {
      const bool ok = rules_.size() == 1 ? single(r) : nested(r);
      if (!ok) return violation_;
    }
    return {};
  }

 private:
  bool nested(std::uint64_t r) {
    for (std::uint64_t at = 0; at < end_; at += sizes_.back()) {
      if (occupied(rules_.size() - 1, r, at) < 0) return false;
    }
    return true;
  }

  bool single(std::uint64_t r) {
    const Rule rule = rules_[0];
    if (rule.h > 64) return nested(r);
    for (std::uint64_t at = 0; at < end_; at += rule.h) {
      const std::uint64_t found = count_bits(bits_.bits(r, at, rule.h));
      if (found <= rule.g) continue;
      note(0, r, at, found);
      return false;
    }
    return true;
  }

  /// Non-empty children of the group of `rank` at `at`; -1 when a rule in it is broken.
  std::int64_t occupied(std::size_t rank, std::uint64_t r, std::uint64_t at) {
    const Rule rule = rules_[rank];
    std::uint64_t found = 0;
    if (rank == 0) {
      found = rule.h <= 64 ? count_bits(bits_.bits(r, at, rule.h))
                           : bits_.count(r, at, std::min(bits_.cols(), at + rule.h));
    } else {
      const std::uint64_t child = sizes_[rank];
      const std::uint64_t stop = std::min(end_, at + sizes_[rank + 1]);
      for (std::uint64_t k = at; k < stop; k += child) {
        const std::int64_t below = occupied(rank - 1, r, k);
        if (below < 0) return -1;
        found += below > 0 ? 1 : 0;
      }
    }
    if (found > rule.g) {
      note(rank, r, at, found);
      return -1;
    }
    return static_cast<std::int64_t>(found);
  }

  void note(std::size_t rank, std::uint64_t r, std::uint64_t at, std::uint64_t found) {
    const std::uint64_t size = sizes_[rank + 1];
    violation_ = {r, at / size, at, static_cast<std::uint32_t>(rank), found, rules_[rank].g, {}};
  }

  const BitMatrix& bits_;
  std::vector<Rule> rules_;              // inner -> outer
  std::vector<std::uint64_t> sizes_{1};  // positions below a coordinate of rank i
  std::uint64_t end_ = 0;
  Violation violation_;
};

std::optional<Violation> check_hss(const Pattern& pattern, const BitMatrix& bits, Axis axis,
                                   Tail tail) {
  auto violation = HssCheck(pattern.ranks, bits, tail).run();
  if (!violation) return {};
  const Rule rule = pattern.ranks[pattern.ranks.size() - 1 - violation->rank];
  std::uint64_t size = 1;
  for (std::size_t i = 0; i <= violation->rank; ++i) {
    size *= pattern.ranks[pattern.ranks.size() - 1 - i].h;
  }
  violation->text = fmt::format(
      "{} {}, group {} of rank {} (k = {}..{}): {} {}, at most {} of {} allowed",
      axis == Axis::along_row ? "row" : "column", violation->fiber, violation->group,
      violation->rank, violation->position, std::min(bits.cols(), violation->position + size) - 1,
      violation->found, violation->rank == 0 ? "non-zeros" : "non-empty blocks", rule.g, rule.h);
  return violation;
}

std::optional<Violation> check_block(const Pattern& pattern, const BitMatrix& bits) {
  const auto counts = bits.tile_counts(pattern.block_rows, pattern.block_cols);
  const std::uint64_t grid_cols = ceil_div(bits.cols(), pattern.block_cols);
  const std::uint64_t allowed = share_of(pattern.share, counts.size());
  const auto found = static_cast<std::uint64_t>(
      std::count_if(counts.begin(), counts.end(), [](std::uint64_t n) { return n > 0; }));
  if (found <= allowed) return {};
  std::uint64_t seen = 0;
  std::uint64_t at = 0;
  while (counts[at] == 0 || ++seen <= allowed) ++at;
  Violation out{
      at / grid_cols, at % grid_cols, at % grid_cols * pattern.block_cols, 0, found, allowed, {}};
  out.text = fmt::format(
      "block ({}, {}) is the first in excess: {} of {} blocks are not empty, "
      "at most {} allowed",
      out.fiber, out.group, found, counts.size(), allowed);
  return out;
}

std::optional<Violation> check_channel(const Pattern& pattern, const BitMatrix& bits, Axis axis) {
  const auto counts = axis == Axis::along_row ? bits.col_counts() : bits.row_counts();
  const std::uint64_t allowed = share_of(pattern.share, counts.size());
  const auto found = static_cast<std::uint64_t>(
      std::count_if(counts.begin(), counts.end(), [](std::uint64_t n) { return n > 0; }));
  if (found <= allowed) return {};
  std::uint64_t seen = 0;
  std::uint64_t at = 0;
  while (counts[at] == 0 || ++seen <= allowed) ++at;
  Violation out{0, at, at, 0, found, allowed, {}};
  out.text = fmt::format(
      "channel k = {} is the first in excess: {} of {} channels are not empty, "
      "at most {} allowed",
      at, found, counts.size(), allowed);
  return out;
}

std::optional<Violation> check_uniform(const Pattern& pattern, const BitMatrix& bits) {
  const std::uint64_t allowed = share_of(pattern.share, bits.rows() * bits.cols());
  const std::uint64_t found = bits.count();
  if (found <= allowed) return {};
  std::uint64_t seen = 0;
  std::uint64_t r = 0;
  for (std::uint64_t n = 0; seen + (n = bits.count(r, 0, bits.cols())) <= allowed; ++r) seen += n;
  std::uint64_t c = 0;
  while (!bits.get(r, c) || ++seen <= allowed) ++c;
  Violation out{r, c, c, 0, found, allowed, {}};
  out.text = fmt::format(
      "position ({}, {}) is the first in excess: {} of {} positions are not "
      "zero, at most {} allowed",
      r, c, found, bits.rows() * bits.cols(), allowed);
  return out;
}

}  // namespace

std::optional<Violation> first_violation(const Pattern& pattern, const BitMatrix& occupancy,
                                         Axis axis, Tail tail) {
  switch (pattern.kind) {
    case PatternKind::dense:
      return {};
    case PatternKind::uniform:
      return check_uniform(pattern, occupancy);
    case PatternKind::block:
      return check_block(pattern, occupancy);
    case PatternKind::channel:
      return check_channel(pattern, occupancy, axis);
    case PatternKind::hss:
      break;
  }
  if (axis == Axis::along_row) return check_hss(pattern, occupancy, axis, tail);
  return check_hss(pattern, occupancy.transposed(), axis, tail);
}

Pattern fitting_degree(const PatternFamily& menu, const BitMatrix& occupancy, Axis axis) {
  if (axis == Axis::along_column) {
    return fitting_degree(menu, occupancy.transposed(), Axis::along_row);
  }
  for (const Pattern& pattern : menu.menu()) {
    if (!HssCheck(pattern.ranks, occupancy, Tail::padded).run()) return pattern;
  }
  return Pattern::dense();
}

}  // namespace lacuna
