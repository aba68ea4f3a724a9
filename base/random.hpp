// SPDX-License-Identifier: Apache-2.0
// Named random streams. A stream is a function of (seed, name) alone, so adding one user of
// randomness never shifts another, and results do not depend on the standard library's
// distributions.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace lacuna {

/// xoshiro256** (Blackman and Vigna 2018), seeded by SplitMix64 from a seed and a stream name.
/// Meets UniformRandomBitGenerator, so Boost generators take it too.
class RandomStream {
 public:
  using result_type = std::uint64_t;
  RandomStream(std::uint64_t seed, std::string_view name);

  [[nodiscard]] static constexpr result_type min() { return 0; }
  [[nodiscard]] static constexpr result_type max() { return ~result_type{0}; }
  result_type operator()();

  /// Uniform in [0, bound), without bias; bound must not be zero.
  std::uint64_t below(std::uint64_t bound);
  /// Uniform in [0, 1), 53 bits.
  double uniform();
  /// Standard normal (Box-Muller).
  double normal();
  /// `count` distinct numbers of [0, population), ascending; count is clamped to the population.
  std::vector<std::uint64_t> sample(std::uint64_t population, std::uint64_t count);

  template <class Range>
  void shuffle(Range& range) {
    for (std::size_t i = range.size(); i > 1; --i) {
      using std::swap;
      swap(range[i - 1], range[static_cast<std::size_t>(below(i))]);
    }
  }

 private:
  std::uint64_t state_[4];
};

}  // namespace lacuna
