// SPDX-License-Identifier: Apache-2.0
#include "arch/intersect/fiber_intersect.hpp"

#include <algorithm>
#include <array>

namespace lacuna {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr std::size_t kPairsAtOnce = 64;

constexpr Wide wide(const Mask128& mask) {
  return (Wide{mask.high} << 64) | mask.low;
}

/// Coordinates 0..last.
constexpr Wide up_to(unsigned last) {
  return ~Wide{0} >> (127 - last);
}

[[gnu::always_inline]] inline unsigned population(Wide x) {
  return static_cast<unsigned>(__builtin_popcountll(static_cast<std::uint64_t>(x)) +
                               __builtin_popcountll(static_cast<std::uint64_t>(x >> 64)));
}

/// Maximal runs of `only` that no member of `other` interrupts. Adding one at the start of each
/// segment between members of `other` ripples up to the segment's first member of `only`, or to the
/// `other` that ends it: so each segment with a member of `only` leaves exactly one bit there.
[[gnu::always_inline]] inline unsigned runs(Wide only, Wide other) {
  const Wide neither = ~(only | other);
  const Wide starts = (other << 1) | 1;
  return population((neither + starts) & ~neither & only);
}

[[gnu::always_inline]] inline unsigned skip_ahead(Wide a, Wide b, unsigned a_last,
                                                  unsigned b_last) {
  const Wide alive = up_to(std::min(a_last, b_last));
  a &= alive;
  b &= alive;
  const Wide match = a & b;
  return population(match) + runs(a & ~b, b) + runs(b & ~a, a);
}

[[gnu::always_inline]] inline unsigned two_finger(Wide a, Wide b, unsigned a_last,
                                                  unsigned b_last) {
  return population((a | b) & up_to(std::min(a_last, b_last)));
}

template <IntersectKind kind>
[[gnu::always_inline]] inline unsigned tries_of(const MaskGroup& a, const MaskGroup& b) {
  if constexpr (kind == IntersectKind::skip_ahead) {
    return skip_ahead(wide(a.mask), wide(b.mask), a.last, b.last);
  } else {
    return two_finger(wide(a.mask), wide(b.mask), a.last, b.last);
  }
}

/// A single coordinate i against fiber b takes one try, and one more for the run that b makes
/// before i when b neither starts at or after i nor ends before it: the sum over coordinates of
/// (fibers that are i alone) * (fibers of the other side that cover i), bit by bit.
[[gnu::always_inline]] inline std::uint64_t single_extra(std::span<const Mask128> singles,
                                                         std::span<const Mask128> covers) {
  std::uint64_t extra = 0;
  for (std::size_t s = 0; s < singles.size(); ++s) {
    for (std::size_t c = 0; c < covers.size(); ++c) {
      extra += std::uint64_t{population(wide(singles[s]) & wide(covers[c]))} << (s + c);
    }
  }
  return extra;
}

template <IntersectKind kind>
[[gnu::always_inline]] inline std::uint64_t groups_tries(std::span<const MaskGroup> a,
                                                         std::span<const MaskGroup> b) {
  std::uint64_t sum = 0;
  for (const MaskGroup& x : a) {
    std::uint64_t row = 0;
    for (const MaskGroup& y : b) row += std::uint64_t{tries_of<kind>(x, y)} * y.times;
    sum += row * x.times;
  }
  return sum;
}

/// One try for every pair of fibers with a single member, and what they cost beyond it. Which of
/// the terms a pair has is as good as random, so pairs are told apart first, without branches, and
/// then each term is added to those that have it.
[[gnu::always_inline]] inline void skip_ahead_pairs(const PairCounter& counter,
                                                    std::span<PairTries> pairs) {
  std::array<PairTries*, kPairsAtOnce> a_many, b_many, both_many;
  std::size_t a_size = 0, b_size = 0, both_size = 0;
  for (PairTries& pair : pairs) {
    const Microtile& a = *pair.a;
    const Microtile& b = *pair.b;
    const std::uint64_t many_by_many =
        std::uint64_t{a.outer_fibers - std::uint32_t{a.single_fibers}} *
        (b.outer_fibers - std::uint32_t{b.single_fibers});
    pair.tries = std::uint64_t{a.outer_fibers} * b.outer_fibers - many_by_many;
    a_many[a_size] = b_many[b_size] = both_many[both_size] = &pair;
    a_size += a.groups != 0 ? 1 : 0;
    b_size += b.groups != 0 ? 1 : 0;
    both_size += many_by_many != 0 ? 1 : 0;
  }
  for (PairTries* pair : std::span(b_many).first(b_size)) {
    pair->tries +=
        single_extra(counter.a().single_planes(*pair->a), counter.b().cover_planes(*pair->b));
  }
  for (PairTries* pair : std::span(a_many).first(a_size)) {
    pair->tries +=
        single_extra(counter.b().single_planes(*pair->b), counter.a().cover_planes(*pair->a));
  }
  for (PairTries* pair : std::span(both_many).first(both_size)) {
    pair->tries += groups_tries<IntersectKind::skip_ahead>(counter.a().groups(*pair->a),
                                                           counter.b().groups(*pair->b));
  }
}

[[gnu::always_inline]] inline std::uint64_t two_finger_pair(const PairCounter& counter,
                                                            const Microtile& a,
                                                            const Microtile& b) {
  const auto single_mask = [](const SingleGroup& single) {
    MaskGroup group{{},
                    single.times,
                    static_cast<std::uint8_t>(single.at),
                    static_cast<std::uint8_t>(single.at)};
    group.mask.insert(single.at);
    return group;
  };
  constexpr auto kind = IntersectKind::two_finger;
  const auto a_groups = counter.a().groups(a);
  const auto b_groups = counter.b().groups(b);
  std::uint64_t sum = groups_tries<kind>(a_groups, b_groups);
  for (const SingleGroup& single : counter.a().singles(a)) {
    const MaskGroup x = single_mask(single);
    sum += groups_tries<kind>({&x, 1}, b_groups);
    for (const SingleGroup& other : counter.b().singles(b)) {
      const MaskGroup y = single_mask(other);
      sum += std::uint64_t{tries_of<kind>(x, y)} * x.times * y.times;
    }
  }
  for (const SingleGroup& single : counter.b().singles(b)) {
    const MaskGroup y = single_mask(single);
    sum += groups_tries<kind>(a_groups, {&y, 1});
  }
  return sum;
}

template <IntersectKind kind>
[[gnu::always_inline]] inline void count_pairs(const PairCounter& counter,
                                               std::span<PairTries> pairs) {
  if constexpr (kind == IntersectKind::two_finger) {
    for (PairTries& pair : pairs) pair.tries = two_finger_pair(counter, *pair.a, *pair.b);
  } else {
    while (!pairs.empty()) {
      const std::size_t size = std::min(pairs.size(), kPairsAtOnce);
      skip_ahead_pairs(counter, pairs.first(size));
      pairs = pairs.subspan(size);
    }
  }
}

template <IntersectKind kind>
void count_portable(const PairCounter& counter, std::span<PairTries> pairs) {
  count_pairs<kind>(counter, pairs);
}

#if defined(__x86_64__)
template <IntersectKind kind>
[[gnu::target("popcnt,bmi,bmi2,avx2")]] void count_fast(const PairCounter& counter,
                                                        std::span<PairTries> pairs) {
  count_pairs<kind>(counter, pairs);
}
bool has_fast() {
  return __builtin_cpu_supports("popcnt") && __builtin_cpu_supports("bmi2") &&
         __builtin_cpu_supports("avx2");
}
#else
template <IntersectKind kind>
constexpr auto count_fast = count_portable<kind>;
bool has_fast() {
  return false;
}
#endif

}  // namespace

std::uint32_t intersect_tries(IntersectKind kind, const Mask128& a, const Mask128& b) {
  return kind == IntersectKind::skip_ahead ? skip_ahead(wide(a), wide(b), a.last(), b.last())
                                           : two_finger(wide(a), wide(b), a.last(), b.last());
}

PairCounter::PairCounter(IntersectKind kind, const MicrotileGrid& a, const MicrotileGrid& b,
                         bool portable)
    : a_(&a), b_(&b) {
  constexpr auto kSkip = IntersectKind::skip_ahead;
  constexpr auto kTwo = IntersectKind::two_finger;
  const bool fast = !portable && has_fast();
  isa_ = fast ? "popcnt+bmi2+avx2" : "portable";
  if (kind == kSkip) {
    count_ = fast ? Count(count_fast<kSkip>) : Count(count_portable<kSkip>);
  } else {
    count_ = fast ? Count(count_fast<kTwo>) : Count(count_portable<kTwo>);
  }
}

}  // namespace lacuna
