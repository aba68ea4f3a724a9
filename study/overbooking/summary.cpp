// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <set>

#include "base/quantity_text.hpp"
#include "base/statistics.hpp"
#include "study/overbooking/points.hpp"

namespace lacuna::validation {
namespace {

std::string means_table(const std::vector<OverbookingPoint>& points) {
  std::string out =
      "Geometric means over matrices, times better (speed; DRAM bytes; energy)\n"
      "  capacity   OB over N                      OB over P                      P over N\n";
  for (const std::uint64_t capacity : capacities_of(points)) {
    out += fmt::format("  {:<9}", to_text(Bytes(capacity)));
    for (const auto& [from, to] : {std::pair{"N", "OB"}, {"P", "OB"}, {"N", "P"}}) {
      const Improvement m = mean_improvement(points, capacity, from, to);
      out +=
          fmt::format("  {:7.3f} {:7.3f} {:7.3f} ({:2})", m.speed, m.traffic, m.energy, m.matrices);
    }
    out += "\n";
  }
  return out;
}

std::string shares_text(const std::vector<OverbookingPoint>& points, double y) {
  const ShareError e = share_error(points, y);
  return fmt::format(
      "Overbooked share of B's tiles, {:.0f} % asked for: {:.1f} % achieved on average over {} "
      "points, mean absolute error {:.1f} points of per cent ({:.1f} over the {} points with 20 "
      "tiles or more). Apart: {} points where the tile is the whole tensor, {} where it is a "
      "single "
      "microtile.\n",
      100 * y, 100 * e.mean_share, e.free_points, 100 * e.mean_absolute, 100 * e.mean_absolute_many,
      e.many_points, e.whole_tensor, e.one_microtile);
}

std::string work_text(const std::vector<OverbookingPoint>& points) {
  std::vector<double> ratios;
  for (const OverbookingPoint& p : points) {
    if (p.contender != "OB" || p.work_nonzeros == 0) continue;
    const OverbookingPoint* scan = find_point(points, p.matrix, p.capacity_bytes, "P");
    if (scan == nullptr || scan->work_nonzeros == 0) continue;
    ratios.push_back(static_cast<double>(scan->work_nonzeros) /
                     static_cast<double>(p.work_nonzeros));
  }
  if (ratios.empty()) return {};
  return fmt::format(
      "Work to find B's tile: the exact scan touches {:.3g} x the nonzeros that Swiftiles' samples "
      "do (geometric mean of {} points)\n",
      geometric_mean(ratios), ratios.size());
}

std::string bars_table(const std::vector<OverbookingPoint>& points,
                       const std::vector<TailorsBars>& bars) {
  std::string out;
  for (const TailorsBars& bar : bars) {
    std::string rows;
    for (const std::uint64_t capacity : capacities_of(points)) {
      const auto* n = find_point(points, bar.matrix, capacity, "N");
      const auto* p = find_point(points, bar.matrix, capacity, "P");
      const auto* ob = find_point(points, bar.matrix, capacity, "OB");
      const auto ratio = [&](const OverbookingPoint* from, const OverbookingPoint* to) {
        if (from == nullptr || to == nullptr || !from->skipped.empty() || !to->skipped.empty()) {
          return fmt::format("  {:>8} {:>8}", "-", "-");
        }
        const Improvement i = improvement(*from, *to);
        return fmt::format("  {:8.3f} {:8.3f}", i.speed, i.energy);
      };
      if (ob == nullptr) continue;
      rows += fmt::format("  {:<9}{}{}{}\n", to_text(Bytes(capacity)), ratio(n, p), ratio(n, ob),
                          ratio(p, ob));
    }
    if (rows.empty()) continue;
    out += fmt::format(
        "{}: speed and energy efficiency, published bars first\n"
        "             P over N           OB over N          OB over P\n"
        "  published  {:8.3f} {:8.3f}  {:8.3f} {:8.3f}  {:8.3f} {:8.3f}\n{}",
        bar.matrix, bar.speed_p_over_n, bar.energy_p_over_n, bar.speed_ob_over_n,
        bar.energy_ob_over_n, bar.speed_ob_over_p, bar.energy_ob_over_p, rows);
  }
  return out;
}

std::string skipped_text(const std::vector<OverbookingPoint>& points) {
  std::string out;
  for (const OverbookingPoint& p : points) {
    if (p.skipped.empty()) continue;
    out += fmt::format("not run: {} at {}, {}: {}\n", p.matrix, to_text(Bytes(p.capacity_bytes)),
                       p.contender, p.skipped);
  }
  return out;
}

}  // namespace

std::string overbooking_summary(const std::vector<OverbookingPoint>& points, double y,
                                const std::vector<TailorsBars>& bars) {
  return means_table(points) + "\n" + shares_text(points, y) + work_text(points) + "\n" +
         bars_table(points, bars) + skipped_text(points);
}

}  // namespace lacuna::validation
