// SPDX-License-Identifier: Apache-2.0
#include "study/sweep/hypervolume.hpp"

#include <algorithm>
#include <pagmo/utils/hypervolume.hpp>

namespace lacuna {

double hypervolume_share(const std::vector<ParetoFront::Member>& front,
                         const std::vector<double>& best, const std::vector<double>& reference) {
  // In parts of the box: its sides are of other units and orders of magnitude.
  std::vector<std::vector<double>> points;
  std::size_t sides = 0;
  for (const ParetoFront::Member& member : front) {
    std::vector<double> point;
    for (std::size_t i = 0; i < best.size(); ++i) {
      const double side = reference[i] - best[i];
      if (side > 0) point.push_back(std::max(0.0, (member.costs[i] - best[i]) / side));
    }
    sides = point.size();
    const bool inside = std::all_of(point.begin(), point.end(), [](double at) { return at < 1; });
    if (inside) points.push_back(std::move(point));
  }
  if (points.empty()) return 0;
  if (sides == 0) return 1;
  if (sides == 1) return 1 - std::min_element(points.begin(), points.end())->front();
  return pagmo::hypervolume(points, false).compute(std::vector<double>(sides, 1.0));
}

bool hypervolume_is_quick(std::size_t points, std::size_t objectives) {
  return objectives <= 3 || (objectives == 4 && points <= 1000) || points <= 100;
}

}  // namespace lacuna
