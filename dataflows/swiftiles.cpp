// SPDX-License-Identifier: Apache-2.0
#include "dataflows/swiftiles.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/interrupt.hpp"
#include "base/random.hpp"
#include "base/statistics.hpp"

namespace lacuna {

std::uint64_t Swiftiles::wanted() const {
  return static_cast<std::uint64_t>(
      std::ceil(static_cast<double>(tail_samples) / overbooked_share));
}

std::vector<std::uint64_t> Swiftiles::draw(std::uint64_t population) const {
  RandomStream random(seed, stream);
  return random.sample(population, wanted());
}

std::vector<std::uint64_t> Swiftiles::draw_holding(
    std::uint64_t population, const std::function<std::uint64_t(std::uint64_t)>& held) const {
  RandomStream random(seed, stream);
  std::vector<std::uint64_t> order =
      random.sample(population, std::min(population, 100 * wanted()));
  random.shuffle(order);
  std::vector<std::uint64_t> drawn;
  for (const std::uint64_t position : order) {
    stop_if_requested();
    const std::uint64_t bytes = held(position);
    if (bytes > 0) drawn.push_back(bytes);
    if (drawn.size() == wanted()) break;
  }
  return drawn;
}

std::uint64_t Swiftiles::bound(std::vector<std::uint64_t>& drawn) const {
  return quantile(drawn, 1.0 - overbooked_share);
}

double Swiftiles::bound(std::vector<double> drawn) const {
  return quantile(drawn, 1.0 - overbooked_share);
}

}  // namespace lacuna
