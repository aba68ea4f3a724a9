// SPDX-License-Identifier: Apache-2.0
#include "app/sweep_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/quantity_text.hpp"

namespace lacuna {
namespace {

constexpr std::size_t kShownFront = 20, kShownMessages = 3, kShownPrices = 8;

std::string describe(const SweepSpec& spec, const SweepPoint& point) {
  std::string text = point.machine;
  if (spec.workloads.size() > 1) text += fmt::format(", workload {}", point.workload + 1);
  for (std::size_t i = 0; i < spec.axes.size(); ++i) {
    text += fmt::format(", {} {}", spec.axes[i].name, spec.axes[i].labels[point.steps[i]]);
  }
  if (point.normal) {
    const SweepAxis& axis = spec.normalize->axis;
    text += fmt::format(", {} {}", axis.name, axis.labels[*point.normal]);
  }
  if (spec.repeat > 1) text += fmt::format(", seed {}", point.seed);
  return text;
}

}  // namespace

std::string summary_text(const SweepSpec& spec, SweepStore& store, const SweepSummary& summary) {
  std::string out = fmt::format(
      "{}: {} of {} points finished, {} failed, {} break a constraint, {} in the front\n",
      spec.name, grouped(summary.finished), grouped(summary.points), grouped(summary.failed),
      grouped(summary.broken), grouped(summary.front.size()));
  std::size_t told = 0;
  for (const auto& [message, times] : summary.messages) {
    if (++told > kShownMessages) break;
    out += fmt::format("  {} of them: {}\n", grouped(times), message);
  }
  std::string header;
  for (const SweepObjective& objective : spec.objectives) {
    header += fmt::format("{:>16}", (objective.most ? "max " : "") + objective.expression);
  }
  if (!summary.front.empty()) out += header + "  point\n";
  auto front = summary.front;
  std::sort(front.begin(), front.end(),
            [](const auto& a, const auto& b) { return a.costs < b.costs; });
  for (std::size_t i = 0; i < std::min(front.size(), kShownFront); ++i) {
    for (const double cost : front[i].costs) out += fmt::format("{:>16.6g}", std::abs(cost));
    const auto row = store.at(front[i].point);
    out += fmt::format("  {}: {}\n", front[i].point, row ? describe(spec, row->point) : "");
  }
  if (front.size() > kShownFront) {
    out += fmt::format("and {} more in front.csv\n", front.size() - kShownFront);
  }
  return out;
}

std::string perturbation_text(const Perturbation& found, double by) {
  std::uint64_t front = 0, always = 0, others = 0;
  for (const PerturbedPoint& point : found.points) {
    front += point.in_front ? 1 : 0;
    always += point.in_front && point.draws == found.draws ? 1 : 0;
    others += point.in_front ? 0 : 1;
  }
  std::string out = fmt::format(
      "prices that are not published, {} of them, moved by up to {:.3g} % at once, {} draws: of {} "
      "points in the front {} stay in all, {} others enter some\n",
      found.prices.size() / 2, by * 100, found.draws, front, always, others);
  auto prices = found.prices;
  std::erase_if(prices, [](const PerturbedPrice& p) { return p.leave.empty() && p.enter.empty(); });
  std::stable_sort(prices.begin(), prices.end(), [](const auto& a, const auto& b) {
    return a.leave.size() + a.enter.size() > b.leave.size() + b.enter.size();
  });
  if (prices.empty()) out += "no price alone changes the front\n";
  for (std::size_t i = 0; i < std::min(prices.size(), kShownPrices); ++i) {
    const PerturbedPrice& p = prices[i];
    out += fmt::format("  {} of {} x {:.3g} alone: {} leave, {} enter\n", to_text(p.kind),
                       p.component, p.factor, p.leave.size(), p.enter.size());
  }
  if (prices.size() > kShownPrices) {
    out += fmt::format("and {} more in perturbed.csv\n", prices.size() - kShownPrices);
  }
  return out;
}

}  // namespace lacuna
