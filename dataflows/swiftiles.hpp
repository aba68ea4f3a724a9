// SPDX-License-Identifier: Apache-2.0
// Swiftiles, for tiles of any kind: k / y tiles of a first size are drawn without replacement among
// those that hold something (docs/decisions/012), and the size is scaled so that a share y of such
// tiles overflows the buffer: T = T0 * room / Q, Q the (1 - y) quantile of what they hold (Tailors
// via lecture slides 89-91).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace lacuna {

struct Swiftiles {
  double overbooked_share = 0.1;    // y
  std::uint64_t tail_samples = 10;  // k
  std::uint64_t seed = 1;
  std::string stream;  // of random numbers

  /// Positions of `population` tiles that all hold something, ascending: k / y, or all there are.
  [[nodiscard]] std::vector<std::uint64_t> draw(std::uint64_t population) const;
  /// What k / y tiles hold where many may be empty: `held` tells by position, 0 for an empty one.
  /// Gives up after a hundred times as many positions.
  [[nodiscard]] std::vector<std::uint64_t> draw_holding(
      std::uint64_t population, const std::function<std::uint64_t(std::uint64_t)>& held) const;
  /// Q of what was drawn, which must not be empty and is reordered.
  [[nodiscard]] std::uint64_t bound(std::vector<std::uint64_t>& drawn) const;
  [[nodiscard]] double bound(std::vector<double> drawn) const;
  /// T0 * room / Q.
  [[nodiscard]] static double scaled(double initial, double room, double bound) {
    return initial * room / bound;
  }

 private:
  [[nodiscard]] std::uint64_t wanted() const;
};

}  // namespace lacuna
