// SPDX-License-Identifier: Apache-2.0
#include "dataflows/mapping_candidates.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <tuple>

#include "base/whole.hpp"

namespace lacuna {
namespace {

// Within this of the fastest, what moves least is taken: the other 2 % of the 5 % that more room or
// bandwidth may cost are the estimate's.
constexpr double kAboutAsFast = 1.03;
// A mapping within what a denser operand takes is kept to unless it is this much slower.
constexpr double kMuchSlower = 1.15;

constexpr double kRounding = 1 + 1e-6;
double fastest_of(const std::vector<const FabricMapping*>& pool) {
  double fastest = pool.front()->estimate.cycles;
  for (const FabricMapping* m : pool) fastest = std::min(fastest, m->estimate.cycles);
  return fastest;
}

/// Cycles of the busiest block, of those that are about as fast as the fastest.
double least_bound(const std::vector<const FabricMapping*>& pool) {
  const double fast = fastest_of(pool) * kAboutAsFast;
  double bound = std::numeric_limits<double>::infinity();
  for (const FabricMapping* m : pool) {
    if (m->estimate.cycles <= fast) bound = std::min(bound, m->estimate.at_least);
  }
  return bound;
}

bool is_within(const FabricMapping& m, const FabricMapping& limit) {
  return m.estimate.cycles <= limit.estimate.cycles * kRounding &&
         m.bytes <= limit.bytes * kRounding && m.moved <= limit.moved * kRounding;
}

std::tuple<double, double, double> key(const FabricMapping& m) {
  return {std::round(m.moved), std::round(m.estimate.cycles), -real(m.columns)};
}

}  // namespace

std::optional<FabricMapping> Candidates::ideal(double bytes, double cycles) const {
  const FabricMapping* best = nullptr;
  for (const FabricMapping& m : all_) {
    if (m.bytes > bytes * kRounding || m.estimate.cycles > cycles * kAboutAsFast) continue;
    if (m.estimate.at_least > cycles * kRounding) continue;
    if (best == nullptr || key(m) < key(*best)) best = &m;
  }
  return best == nullptr ? std::nullopt : std::optional(*best);
}

FabricMapping Candidates::choose(const std::vector<FabricMapping>& denser) const {
  std::vector<const FabricMapping*> pool;
  for (const FabricMapping& mapping : all_) pool.push_back(&mapping);
  const double fastest = fastest_of(pool);
  for (const FabricMapping& limit : denser) {
    std::vector<const FabricMapping*> within;
    std::copy_if(pool.begin(), pool.end(), std::back_inserter(within),
                 [&](const FabricMapping* m) { return is_within(*m, limit); });
    if (within.empty() || fastest_of(within) > fastest * kMuchSlower) continue;
    if (least_bound(within) > least_bound(pool) * kAboutAsFast) continue;
    pool = std::move(within);
  }
  // The taste for little traffic costs waits at the edges of tiles, never a slower block.
  const double fast = fastest_of(pool) * kAboutAsFast;
  const double bound = least_bound(pool);
  const FabricMapping* best = nullptr;
  for (const FabricMapping* m : pool) {
    if (m->estimate.cycles > fast || m->estimate.at_least > bound * kRounding) continue;
    if (best == nullptr || key(*m) < key(*best)) best = m;
  }
  return *best;
}

}  // namespace lacuna
