// SPDX-License-Identifier: Apache-2.0
#include "arch/program/statistics.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace lacuna {
namespace {

/// Of blocks that are equally busy the one nearest to the multipliers is named.
std::size_t distance(std::string_view block) {
  constexpr std::array<std::string_view, 6> kOutward{"compute", "intersect", "network",
                                                     "glb",     "psum",      "dram"};
  return static_cast<std::size_t>(std::find(kOutward.begin(), kOutward.end(), block) -
                                  kOutward.begin());
}

}  // namespace

std::string busiest(const std::map<std::string, Cycles>& bounds) {
  std::string most;
  for (const auto& [block, cycles] : bounds) {
    const bool first = most.empty();
    const bool busier = !first && cycles > bounds.at(most);
    const bool nearer = !first && cycles == bounds.at(most) && distance(block) < distance(most);
    if (first || busier || nearer) most = block;
  }
  return most;
}

void BankUse::add(const BankUse& one, std::uint64_t times) {
  bursts += one.bursts * times;
  row_hits += one.row_hits * times;
  row_misses += one.row_misses * times;
  row_conflicts += one.row_conflicts * times;
  refreshes += one.refreshes * times;
  turnarounds += one.turnarounds * times;
}

double achieved_dram_bandwidth(const MachineStatistics& s) {
  const auto dram = s.traffic.find("dram");
  if (dram == s.traffic.end() || s.cycles.count() == 0) return 0;
  std::uint64_t bytes = 0;
  for (const auto& [tensor, moved] : dram->second) bytes += moved.read_bytes + moved.write_bytes;
  return static_cast<double>(bytes) / static_cast<double>(s.cycles.count());
}

void bound_cycles(const std::set<std::string>& left_out, MachineStatistics& s) {
  s.cycles_bound_by.clear();
  s.cycles_bound = Cycles(0);
  for (const auto& [block, cycles] : s.bounds) {
    if (left_out.contains(block)) continue;
    if (!s.cycles_bound_by.empty() && cycles <= s.cycles_bound) continue;
    s.cycles_bound_by = block;
    s.cycles_bound = cycles;
  }
}

void find_limiter(MachineStatistics& s) {
  const double total = std::max(1.0, static_cast<double>(s.cycles.count()));
  for (const auto& [block, cycles] : s.bounds) {
    s.utilization[block] = static_cast<double>(cycles.count()) / total;
    LACUNA_CHECK(s.utilization[block] <= 1.0 + 1e-9, "{} is used {:.6f} of the time", block,
                 s.utilization[block]);
  }
  s.bound = busiest(s.bounds);
}

}  // namespace lacuna
