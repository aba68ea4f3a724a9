// SPDX-License-Identifier: Apache-2.0
#include "study/published/extensor.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "run/product/run.hpp"
#include "run/product/workload.hpp"
#include "run/rowwise/run.hpp"
#include "run/stall_names.hpp"
#include "study/matrix_folder.hpp"

namespace lacuna {
namespace {

double nanoseconds(const RunResult& result, Cycles cycles) {
  return 1e9 * static_cast<double>(cycles.count()) / result.clock.count();
}

/// Why the simulated time is above the bound: what the processing elements did meanwhile.
std::string time_remark(const RunResult& result) {
  const MachineStatistics& s = result.statistics;
  std::vector<std::pair<double, std::string>> shares;
  const double total = static_cast<double>(total_pe_cycles(s.stalls));
  for (const auto& name : kStallNames) {
    const double share = 100 * static_cast<double>(s.stalls.*name.cycles) / total;
    if (share >= 0.5) shares.emplace_back(share, name.shown);
  }
  std::sort(shares.rbegin(), shares.rend());
  std::string text =
      fmt::format("limited by {} ({:.0f} % busy), throughput bound by {}, PEs: ", s.bound,
                  100 * s.utilization.at(s.bound), s.cycles_bound_by);
  for (const auto& [share, name] : shares) {
    text += fmt::format("{}{} {:.0f} %", text.ends_with(": ") ? "" : ", ", name, share);
  }
  const auto intersect = s.bounds.find("intersect");
  if (intersect != s.bounds.end() && intersect->second > s.cycles_bound) {
    text += fmt::format("; K1 intersection alone takes {:.2f} x the bound",
                        static_cast<double>(intersect->second.count()) /
                            static_cast<double>(s.cycles_bound.count()));
  }
  return text;
}

/// What the energy is made of, the largest part first.
std::string energy_remark(const RunResult& result) {
  std::vector<std::pair<double, std::string>> parts;
  for (const auto& [name, component] : result.energy.components) {
    parts.emplace_back(component.picojoules * 1e-9, name);
  }
  std::sort(parts.rbegin(), parts.rend());
  std::string text = "no target (other node and tables): ";
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].first < 0.01 * parts[0].first) break;
    text += fmt::format("{}{} {:.3g}", i == 0 ? "" : ", ", parts[i].second, parts[i].first);
  }
  return text;
}

validation::Simulated simulated_values(const RunResult& result) {
  const MachineStatistics& s = result.statistics;
  validation::Simulated out;
  for (const auto& [tensor, moved] : s.traffic.at("dram")) {
    out.values[fmt::format("dram_{}_bytes", tensor)] =
        static_cast<double>(moved.read_bytes + moved.write_bytes);
  }
  out.values["multiplies"] = static_cast<double>(s.macs_effectual);
  out.values["adds"] = static_cast<double>(s.adds);
  for (const auto& [name, count] : result.beside) {
    out.values.emplace(name, static_cast<double>(count));
  }
  out.values["cycles_bound_ns"] = nanoseconds(result, s.cycles_bound);
  out.values["simulated_ns"] = nanoseconds(result, s.cycles);
  out.values["energy_mJ"] = result.energy.total_picojoules * 1e-9;
  out.remarks["simulated_ns"] = time_remark(result);
  out.remarks["energy_mJ"] = energy_remark(result);
  return out;
}

RunResult run_published(const validation::PublishedRun& published,
                        const std::filesystem::path& file) {
  WorkloadSpec spec;
  spec.matrix = file.string();
  const ProductWorkload workload = make_workload(spec, false, {});
  const ConfigReader reader =
      machine_reader(load_config("arch", published.machine, published.settings));
  const AnyMachine machine = read_any_machine(reader);
  reader.finish();
  if (const auto* rows = std::get_if<RowwiseSpec>(&machine))
    return run_product(*rows, workload, {});
  const auto* tiles = std::get_if<MachineSpec>(&machine);
  if (tiles == nullptr) {
    throw InputError(fmt::format("{} takes no explicit nonzeros", published.machine),
                     "a machine for sparse products");
  }
  return run_product(*tiles, workload, {});
}

}  // namespace

std::vector<validation::Comparison> run_and_compare(const validation::PublishedRun& published,
                                                    const std::filesystem::path& matrix) {
  return validation::compare(published, simulated_values(run_published(published, matrix)));
}

}  // namespace lacuna
