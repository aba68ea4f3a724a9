// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>

#include "base/csv_text.hpp"
#include "report/csv.hpp"
#include "report/text_layout.hpp"
#include "run/stall_names.hpp"

namespace lacuna::report {
namespace {

constexpr std::string_view kPrefix = "machine_index,machine,workload,";

std::string field(std::string_view text) {
  return csv_field(clean(text));
}

/// An empty field where a ratio has no meaning.
std::string ratio(double part, double whole) {
  const double value = part / whole;
  return std::isfinite(value) ? fmt::format("{}", value) : std::string();
}

std::string ratio(std::uint64_t part, std::uint64_t whole) {
  return ratio(static_cast<double>(part), static_cast<double>(whole));
}

std::string prefix_of(const std::vector<RunResult>& results, std::size_t i) {
  return fmt::format("{},{},{},", i + 1, field(results[i].name), field(results[i].workload));
}

std::size_t series_of(const std::vector<std::string>& series, const std::string& name) {
  return static_cast<std::size_t>(std::find(series.begin(), series.end(), name) - series.begin()) +
         1;
}

void add_new(std::vector<std::string>& names, const std::string& name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

}  // namespace

std::vector<std::string> energy_series(const std::vector<RunResult>& results) {
  std::vector<std::string> series;
  for (const RunResult& result : results) {
    for (const auto& [component, report] : result.energy.components) {
      if (report.picojoules != 0) add_new(series, component);
    }
  }
  return series;
}

std::vector<std::string> traffic_series(const std::vector<RunResult>& results) {
  std::vector<std::string> series;
  for (const bool dram : {true, false}) {
    std::vector<std::string> here;
    for (const RunResult& result : results) {
      for (const auto& [level, tensors] : result.statistics.traffic) {
        if ((level == "dram") != dram) continue;
        for (const auto& [tensor, moved] : tensors) {
          if (moved.read_bytes != 0) add_new(here, tensor + " read");
          if (moved.write_bytes != 0) add_new(here, tensor + " write");
        }
      }
    }
    std::sort(here.begin(), here.end());
    for (const std::string& name : here) add_new(series, name);
  }
  return series;
}

std::string energy_csv(const std::vector<RunResult>& results) {
  std::string out = std::string(kPrefix) + "series,component,energy_pj,energy_fraction\n";
  const auto series = energy_series(results);
  for (std::size_t i = 0; i < results.size(); ++i) {
    const std::string prefix = prefix_of(results, i);
    const EnergyReport& energy = results[i].energy;
    for (const std::string& component : series) {
      const auto at = energy.components.find(component);
      if (at == energy.components.end()) continue;
      fmt::format_to(std::back_inserter(out), "{}{},{},{},{}\n", prefix,
                     series_of(series, component), field(component), at->second.picojoules,
                     ratio(at->second.picojoules, energy.total_picojoules));
    }
  }
  return out;
}

std::string traffic_csv(const std::vector<RunResult>& results) {
  std::string out = std::string(kPrefix) + "series,level,tensor,direction,traffic_bytes\n";
  const auto series = traffic_series(results);
  for (std::size_t i = 0; i < results.size(); ++i) {
    const std::string prefix = prefix_of(results, i);
    for (const auto& [level, tensors] : results[i].statistics.traffic) {
      for (const auto& [tensor, moved] : tensors) {
        for (const bool read : {true, false}) {
          const std::uint64_t bytes = read ? moved.read_bytes : moved.write_bytes;
          if (bytes == 0) continue;
          const std::string direction = read ? "read" : "write";
          fmt::format_to(std::back_inserter(out), "{}{},{},{},{},{}\n", prefix,
                         series_of(series, tensor + " " + direction), field(level), field(tensor),
                         direction, bytes);
        }
      }
    }
  }
  return out;
}

std::string occupancy_csv(const std::vector<RunResult>& results) {
  std::string out = std::string(kPrefix) +
                    "series,operand,strategy,quantile,occupancy_bytes,share_bytes,"
                    "occupancy_over_share\n";
  std::size_t series = 0;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const std::string prefix = prefix_of(results, i);
    for (const auto& [operand, t] : results[i].tiling) {
      ++series;
      for (const auto& [quantile, bytes] : t.occupancy) {
        fmt::format_to(std::back_inserter(out), "{}{},{},{},{},{},{},{}\n", prefix, series,
                       field(operand), field(t.strategy), quantile, bytes, t.share_bytes,
                       ratio(bytes, t.share_bytes));
      }
    }
  }
  return out;
}

std::string stalls_csv(const std::vector<RunResult>& results) {
  std::string out = std::string(kPrefix) + "series,state,pe_cycles,pe_cycle_fraction\n";
  for (std::size_t i = 0; i < results.size(); ++i) {
    const StallBreakdown& stalls = results[i].statistics.stalls;
    const std::uint64_t total = total_pe_cycles(stalls);
    if (total == 0) continue;
    for (std::size_t n = 0; n < kStallNames.size(); ++n) {
      const std::uint64_t cycles = stalls.*kStallNames[n].cycles;
      fmt::format_to(std::back_inserter(out), "{}{},{},{},{}\n", prefix_of(results, i), n + 1,
                     kStallNames[n].key, cycles, ratio(cycles, total));
    }
  }
  return out;
}

std::string pe_load_csv(const std::vector<RunResult>& results) {
  std::string out = std::string(kPrefix) + "pe,rank,pes,busy_cycles,busy_fraction\n";
  for (std::size_t i = 0; i < results.size(); ++i) {
    const std::string prefix = prefix_of(results, i);
    const auto& busy = results[i].statistics.pe_busy;
    std::vector<std::size_t> order(busy.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return busy[a] > busy[b]; });
    for (std::size_t rank = 0; rank < order.size(); ++rank) {
      const std::uint64_t cycles = busy[order[rank]];
      fmt::format_to(std::back_inserter(out), "{}{},{},{},{},{}\n", prefix, order[rank], rank + 1,
                     busy.size(), cycles, ratio(cycles, results[i].statistics.cycles.count()));
    }
  }
  return out;
}

}  // namespace lacuna::report
