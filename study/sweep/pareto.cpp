// SPDX-License-Identifier: Apache-2.0
#include "study/sweep/pareto.hpp"

#include <algorithm>
#include <cmath>

namespace lacuna {
namespace {

/// No worse in anything, and better in something.
bool beats(const std::vector<double>& a, const std::vector<double>& b) {
  bool better = false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] > b[i]) return false;
    better = better || a[i] < b[i];
  }
  return better;
}

}  // namespace

bool ParetoFront::add(std::uint64_t point, std::vector<double> costs) {
  const bool known =
      std::all_of(costs.begin(), costs.end(), [](double c) { return !std::isnan(c); });
  if (!known) return false;  // what is not known cannot be compared
  for (const Member& member : members_) {
    if (beats(member.costs, costs)) return false;
  }
  std::erase_if(members_, [&](const Member& member) { return beats(costs, member.costs); });
  members_.push_back({point, std::move(costs)});
  return true;
}

std::vector<ParetoFront::Member> ParetoFront::members() const {
  std::vector<Member> sorted = members_;
  std::sort(sorted.begin(), sorted.end(),
            [](const Member& a, const Member& b) { return a.point < b.point; });
  return sorted;
}

}  // namespace lacuna
