// SPDX-License-Identifier: Apache-2.0
// Sparsity patterns as people write them, and families of them.
//
// A G:H rule on a rank: each fiber of H coordinates holds at most G non-empty payloads. At rank 0 a
// payload is a scalar, at rank n > 0 a whole rank-(n-1) fiber. N-rank hierarchical structured
// sparsity (HSS) is one rule on each of N nested ranks; its density is the product of G/H (Wu et
// al., "HighLight", MICRO'23, section 4). N:M is HSS of one rank. K is split as
// k = (k2 * H1 + h1) * H0 + h0, for every row of the operand on its own.
//
//   dense                      every position
//   uniform:0.5                a share of all positions, anywhere (also "unstructured:0.5")
//   2:4                        one rule on groups of consecutive k
//   hss:C1(4:8)->C0(2:4)       rules outer -> inner ("hss:" may be left out; the arrow may be
//   U+2192) block:32x32:0.25           a share of the blocks of 32 rows x 32 columns, each filled
//   or empty channel:0.5                a share of the k coordinates, each filled or empty for all
//   rows
//
// A share is a decimal ("0.25", "1e-3"), a fraction ("1/3") or a percentage ("25%"), and is exact.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace lacuna {

/// An exact non-negative fraction in lowest terms.
struct Ratio {
  std::uint64_t num = 0;
  std::uint64_t den = 1;

  /// Reduces; `den` must not be zero.
  [[nodiscard]] static Ratio of(std::uint64_t num, std::uint64_t den);
  [[nodiscard]] double value() const { return static_cast<double>(num) / static_cast<double>(den); }
  /// 1 - this, for a share.
  [[nodiscard]] Ratio complement() const { return of(den - num, den); }
  /// "0.25" when a decimal is exact, otherwise "1/3".
  [[nodiscard]] std::string text() const;
  friend bool operator==(const Ratio&, const Ratio&) = default;
  friend std::strong_ordering operator<=>(const Ratio& a, const Ratio& b);
};

/// round(share * n), halves up: how many of n things a share keeps. `share` is at most one.
[[nodiscard]] std::uint64_t share_of(Ratio share, std::uint64_t n);

/// At most `g` non-empty payloads among `h` coordinates; 1 <= g <= h.
struct Rule {
  std::uint32_t g = 1;
  std::uint32_t h = 1;
  friend bool operator==(const Rule&, const Rule&) = default;
};

enum class PatternKind { dense, uniform, hss, block, channel };

struct Pattern {
  PatternKind kind = PatternKind::dense;
  std::vector<Rule> ranks;       // hss: outer -> inner, one entry for N:M
  Ratio share{1, 1};             // uniform, block, channel
  std::uint32_t block_rows = 1;  // block
  std::uint32_t block_cols = 1;

  [[nodiscard]] static Pattern dense() { return {}; }
  [[nodiscard]] static Pattern uniform(Ratio share);
  /// Rules outer -> inner. Throws InputError when a rule is impossible.
  [[nodiscard]] static Pattern hss(std::vector<Rule> ranks,
                                   const Place& place = Place{{}, 0, "pattern"});
  [[nodiscard]] static Pattern n_of_m(std::uint32_t n, std::uint32_t m) { return hss({{n, m}}); }

  /// The share of positions the pattern allows: exact, and for HSS what cycles follow.
  [[nodiscard]] Ratio density() const;
  [[nodiscard]] bool is_dense() const { return density() == Ratio{1, 1}; }
  /// Consecutive k that the rules of hss span together: the product of H; 1 for the others.
  [[nodiscard]] std::uint64_t group_size() const;
  /// The canonical text; parse_pattern() of it gives the same pattern.
  [[nodiscard]] std::string text() const;
  friend bool operator==(const Pattern&, const Pattern&) = default;
};

/// Throws InputError at `place` that says what is wrong with which part, and how to write it.
[[nodiscard]] Pattern parse_pattern(std::string_view text,
                                    const Place& place = Place{{}, 0, "pattern"});

/// One rank of a family: every G with every H.
struct RuleFamily {
  std::vector<std::uint32_t> g;
  std::vector<std::uint32_t> h;
  friend bool operator==(const RuleFamily&, const RuleFamily&) = default;
};

/// The patterns a design supports, as a choice of rules for each rank, outer -> inner:
/// `C1(4:{4..8})->C0(2:{2..4})`; a set is a number, `{2,4,8}`, `{4..8}` or `{4<=H<=8}`.
struct PatternFamily {
  std::vector<RuleFamily> ranks;

  /// Every member, sparsest first; equal densities in the order of enumeration (outer rank slowest,
  /// sets ascending).
  [[nodiscard]] std::vector<Pattern> menu() const;
  /// The distinct sparsities (1 - density) that can be reached, ascending.
  [[nodiscard]] std::vector<Ratio> degrees() const;
  [[nodiscard]] std::string text() const;
  friend bool operator==(const PatternFamily&, const PatternFamily&) = default;
};

[[nodiscard]] PatternFamily parse_pattern_family(std::string_view text,
                                                 const Place& place = Place{{}, 0, "pattern"});

}  // namespace lacuna
