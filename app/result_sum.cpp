// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "app/model_run.hpp"

namespace lacuna {
namespace {

constexpr std::uint64_t StallBreakdown::*kStalls[] = {
    &StallBreakdown::busy,           &StallBreakdown::wait_a,       &StallBreakdown::wait_b,
    &StallBreakdown::wait_intersect, &StallBreakdown::wait_network, &StallBreakdown::wait_output,
    &StallBreakdown::imbalance,      &StallBreakdown::drain};

/// Operations run one after another: the fullest window and moment of any of them.
void add_meters(Meters& total, const Meters& one, std::uint64_t times) {
  for (const auto& [name, use] : one.ports) {
    PortUse& sum = total.ports[name];
    sum.total += use.total * times;
    sum.transfers += use.transfers * times;
    if (use.fullest <= sum.fullest) continue;
    sum.fullest = use.fullest;
    sum.fullest_transfers = use.fullest_transfers;
  }
  for (const auto& [name, bytes] : one.high_water) {
    std::uint64_t& most = total.high_water[name];
    most = std::max(most, bytes);
  }
}

void add_statistics(MachineStatistics& total, const MachineStatistics& one, std::uint64_t times) {
  total.cycles += one.cycles * times;
  total.cycles_bound += one.cycles_bound * times;
  for (const auto& [block, cycles] : one.bounds) total.bounds[block] += cycles * times;
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
  for (const auto stall : kStalls) total.stalls.*stall += one.stalls.*stall * times;
  total.macs_effectual += one.macs_effectual * times;
  total.adds += one.adds * times;
  total.z_nonzeros += one.z_nonzeros * times;
  total.activations += one.activations;
  add_meters(total.meters, one.meters, times);
}

void add_energy(EnergyReport& total, const EnergyReport& one, double times) {
  total.table = one.table;
  total.flags = one.flags;
  total.area_um2 = one.area_um2;
  total.total_picojoules += one.total_picojoules * times;
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
  for (const char* key : {"macs_ineffectual_at_full_energy", "mac_slots", "vfmu_lines",
                          "a_refetched_bytes", "b_refetched_bytes", "instructions"}) {
    const auto found = one.beside.find(key);
    if (found != one.beside.end()) total.beside[key] += found->second * times;
  }
}

}  // namespace lacuna
