// SPDX-License-Identifier: Apache-2.0
#include "run/result_sum.hpp"

#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "run/energy_report.hpp"
#include "run/stall_names.hpp"
#include "sim/timeline.hpp"

namespace lacuna {
namespace {

/// What becomes of a count that stands beside the main ones when operations are added up.
enum class Rule {
  sum,
  most,           // of any operation
  per_operation,  // says something of one operation alone: a total has none
  of_total,       // of a total, counted by who makes it: an operation has none
};

struct BesideRule {
  std::string_view name;
  Rule rule;
};

constexpr std::array<BesideRule, 36> kBesideRules{{
    {"k0_tries", Rule::sum},
    {"k1_tries", Rule::sum},
    {"k2_tries", Rule::sum},
    {"z_nonzeros", Rule::sum},
    {"partial_output_bytes", Rule::sum},
    {"dram_B_read_bytes_by_column_fibers", Rule::sum},
    {"microtile_edge_k0", Rule::most},
    {"macs_ineffectual_at_full_energy", Rule::sum},
    {"mac_slots", Rule::sum},
    {"vfmu_lines", Rule::sum},
    {"vfmu_most_words_held", Rule::most},
    {"a_refetched_bytes", Rule::sum},
    {"b_refetched_bytes", Rule::sum},
    {"shared_blocks", Rule::sum},
    {"shared_tiles_of_b", Rule::sum},
    {"shared_tiles_of_b_overbooked", Rule::sum},
    {"a_fetches", Rule::per_operation},
    {"b_fetches", Rule::per_operation},
    {"instructions", Rule::sum},
    {"multiplies_by_S", Rule::sum},
    {"dropped_nonzeros", Rule::sum},
    {"tasks", Rule::sum},
    {"merged_nonzeros", Rule::sum},
    {"partial_nonzeros", Rule::sum},
    {"fiber_bytes_used", Rule::sum},
    {"overflowing_tiles", Rule::sum},
    {"mapper_cycles", Rule::sum},
    {"fill_cycles", Rule::sum},
    {"drain_cycles", Rule::sum},
    {"fill_and_drain_allowance", Rule::sum},
    {"operations_executed", Rule::of_total},
    {"operations_simulated", Rule::of_total},
    {"products_executed", Rule::of_total},
    {"layers_simulated", Rule::of_total},
    {"macs_executed", Rule::of_total},
    {"macs_exact", Rule::of_total},
}};

Rule rule_of(const std::string& name) {
  const auto found = std::find_if(kBesideRules.begin(), kBesideRules.end(),
                                  [&](const BesideRule& r) { return r.name == name; });
  LACUNA_CHECK(found != kBesideRules.end(), "nothing says how '{}' adds up over operations", name);
  return found->rule;
}

void add_beside(RunResult& total, const RunResult& one, std::uint64_t times) {
  for (const auto& [name, count] : one.beside) {
    switch (rule_of(name)) {
      case Rule::sum:
        total.beside[name] += count * times;
        break;
      case Rule::most: {
        std::uint64_t& most = total.beside[name];
        most = std::max(most, count);
        break;
      }
      case Rule::per_operation:
        break;
      case Rule::of_total:
        LACUNA_CHECK(false, "'{}' is of a total, and a total is added to another", name);
    }
  }
}

/// Operations run one after another: the fullest window and moment of any of them.
void add_meters(Meters& total, const Meters& one, std::uint64_t times) {
  for (const auto& [name, use] : one.ports) {
    PortUse& sum = total.ports[name];
    sum.total += use.total * times;
    sum.transfers += use.transfers * times;
    if (use.waited) sum.waited = sum.waited.value_or(0) + *use.waited * times;
    if (use.fullest <= sum.fullest) continue;
    sum.fullest = use.fullest;
    sum.fullest_transfers = use.fullest_transfers;
  }
  if (one.banks) {
    if (!total.banks) total.banks.emplace();
    total.banks->add(*one.banks, times);
  }
  for (const auto& [name, bytes] : one.high_water) {
    std::uint64_t& most = total.high_water[name];
    most = std::max(most, bytes);
  }
}

void add_statistics(MachineStatistics& total, const MachineStatistics& one, std::uint64_t times) {
  total.cycles += one.cycles * times;
  total.cycles_bound += one.cycles_bound * times;
  if (total.cycles_bound_by.empty()) {
    total.cycles_bound_by = one.cycles_bound_by;
  } else if (!one.cycles_bound_by.empty() && total.cycles_bound_by != one.cycles_bound_by) {
    total.cycles_bound_by = "several";
  }
  for (const auto& [block, cycles] : one.bounds) total.bounds[block] += cycles * times;
  total.dram_bytes_per_cycle = std::max(total.dram_bytes_per_cycle, one.dram_bytes_per_cycle);
  for (const auto& [level, tensors] : one.traffic) {
    for (const auto& [tensor, moved] : tensors) {
      Moved& sum = total.traffic[level][tensor];
      sum.read_bytes += moved.read_bytes * times;
      sum.write_bytes += moved.write_bytes * times;
    }
  }
  for (const auto& [component, actions] : one.actions) {
    for (const auto& [action, count] : actions) total.actions[component][action] += count * times;
  }
  for (const StallName& name : kStallNames) {
    total.stalls.*name.cycles += one.stalls.*name.cycles * times;
  }
  for (const auto& [rank, trips] : one.iterations) total.iterations[rank] += trips * times;
  if (total.pe_busy.size() < one.pe_busy.size()) total.pe_busy.resize(one.pe_busy.size());
  for (std::size_t pe = 0; pe < one.pe_busy.size(); ++pe) {
    total.pe_busy[pe] += one.pe_busy[pe] * times;
  }
  total.b_bytes_as_read += one.b_bytes_as_read * times;
  total.macs_effectual += one.macs_effectual * times;
  total.adds += one.adds * times;
  total.z_nonzeros += one.z_nonzeros * times;
  total.activations += one.activations;
  add_meters(total.meters, one.meters, times);
}

void add_energy(EnergyReport& total, const EnergyReport& one, double times) {
  // An operation that only moves bytes may name neither table nor area.
  if (!one.table.empty()) total.table = one.table;
  for (const std::string& flag : one.flags) {
    if (std::find(total.flags.begin(), total.flags.end(), flag) == total.flags.end()) {
      total.flags.push_back(flag);
    }
  }
  total.area_um2 = std::max(total.area_um2, one.area_um2);
  if (total.prices.empty()) total.prices = one.prices;
  total.total_picojoules += one.total_picojoules * times;
  total.static_picojoules += one.static_picojoules * times;
  for (const auto& [name, component] : one.components) {
    ComponentReport& sum = total.components[name];
    sum.picojoules += component.picojoules * times;
    for (const auto& [action, energy] : component.by_action) {
      sum.by_action[action] += energy * times;
    }
  }
}

}  // namespace

void add_result(RunResult& total, const RunResult& one, std::uint64_t times) {
  add_statistics(total.statistics, one.statistics, times);
  add_energy(total.energy, one.energy, static_cast<double>(times));
  for (const auto& [operand, error] : one.provenance.sampling_error) {
    double& most = total.provenance.sampling_error[operand];
    most = std::max(most, error);
  }
  total.macs_dense += one.macs_dense * times;
  total.macs_gated += one.macs_gated * times;
  total.macs_skipped += one.macs_skipped * times;
  add_beside(total, one, times);
}

OperationReport operation_report(const std::string& name, const RunResult& one,
                                 std::uint64_t times) {
  OperationReport out;
  out.name = name;
  out.times = times;
  out.cycles = one.statistics.cycles;
  out.cycles_bound = one.statistics.cycles_bound;
  out.in_step = one.statistics.cycles * times;
  out.bound = one.statistics.bound;
  out.macs = one.macs_dense;
  out.picojoules = one.energy.total_picojoules;
  return out;
}

void finish_total(RunResult& total) {
  find_limiter(total.statistics);
  charge_static(total);
  total.host.events = total.statistics.activations;
  LACUNA_CHECK(total.statistics.cycles >= total.statistics.cycles_bound,
               "{} cycles, the bound is {}", total.statistics.cycles.count(),
               total.statistics.cycles_bound.count());
}

void add_timeline(const sim::Timeline& timeline, RunResult& result) {
  result.timeline = timeline.chrome_trace();
  if (timeline.dropped() == 0) return;
  result.provenance.warnings.push_back(
      fmt::format("the timeline left out {} later slices", timeline.dropped()));
}

std::string operations_timeline(const std::vector<OperationReport>& all) {
  sim::Timeline timeline;
  Cycles now;
  for (std::size_t first = 0, end; first < all.size(); first = end) {
    // Operations of one block repeat together.
    for (end = first; end < all.size() && all[end].block == all[first].block &&
                      all[end].times == all[first].times;) {
      ++end;
    }
    for (std::uint64_t layer = 0; layer < all[first].times; ++layer) {
      for (std::size_t i = first; i < end; ++i) {
        // Whole cycles of each layer add up to the operation's.
        const std::uint64_t cycles = all[i].in_step.count(), layers = all[i].times;
        const Cycles until = now + Cycles(cycles * (layer + 1) / layers - cycles * layer / layers);
        timeline.slice(timeline.row(all[i].group), all[i].name.c_str(), now, until, all[i].macs,
                       "MACs");
        now = until;
      }
    }
  }
  return timeline.chrome_trace();
}

}  // namespace lacuna
