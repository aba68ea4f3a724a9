// SPDX-License-Identifier: Apache-2.0
#include "app/search_text.hpp"

#include <fmt/format.h>

#include "base/quantity_text.hpp"
#include "study/sweep/hypervolume.hpp"

namespace lacuna {

std::string points_text(const SweepSpec& spec) {
  const std::string points = grouped(spec.points());
  if (spec.searched()) {
    return fmt::format("{}: {} of {} points, chosen by nsga2 with seed {}\n", spec.name,
                       grouped(spec.search->budget), points, spec.search->seed);
  }
  if (spec.search) {
    return fmt::format("{}: {} points are within the budget of {}: all are run\n", spec.name,
                       points, grouped(spec.search->budget));
  }
  return fmt::format("{}: {} points\n", spec.name, points);
}

std::string hypervolume_text(const SweepSpec& spec, const SweepSummary& summary) {
  if (summary.front.empty()) return "";
  if (!hypervolume_is_quick(summary.front.size(), spec.objectives.size())) {
    return fmt::format("hypervolume: not computed for {} points in {} objectives\n",
                       grouped(summary.front.size()), spec.objectives.size());
  }
  std::vector<double> best, reference;
  std::string from, to;
  for (std::size_t o = 0; o < spec.objectives.size(); ++o) {
    const auto [least, most] = summary.ranges[o];
    const bool up = spec.objectives[o].most;
    best.push_back(up ? -most : least);
    reference.push_back(up ? -least : most);
    from += fmt::format("{}{:.6g}", o == 0 ? "" : ", ", up ? most : least);
    to += fmt::format("{}{:.6g}", o == 0 ? "" : ", ", up ? least : most);
  }
  return fmt::format(
      "hypervolume {:.4f} of the box from the best ({}) to the reference point ({})\n",
      hypervolume_share(summary.front, best, reference), from, to);
}

}  // namespace lacuna
