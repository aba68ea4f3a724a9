// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/csv_text.hpp"
#include "report/csv.hpp"
#include "report/text_layout.hpp"

namespace lacuna::report {

std::vector<std::string> operation_series(const std::vector<RunResult>& results) {
  std::vector<std::string> series;
  for (const RunResult& result : results) {
    for (const OperationReport& op : result.operations) {
      if (std::find(series.begin(), series.end(), op.group) == series.end()) {
        series.push_back(op.group);
      }
    }
  }
  return series;
}

std::string operations_csv(const std::vector<RunResult>& results) {
  std::string out =
      "machine_index,machine,workload,group,block,operation,times,products,cycles,cycles_bound,"
      "bound,macs,weight_bytes,cache_bytes,activation_bytes,energy_pj\n";
  const auto field = [](const std::string& text) { return csv_field(clean(text)); };
  for (std::size_t i = 0; i < results.size(); ++i) {
    for (const OperationReport& op : results[i].operations) {
      fmt::format_to(std::back_inserter(out), "{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}\n",
                     i + 1, field(results[i].name), field(results[i].workload), field(op.group),
                     field(op.block), field(op.name), op.times, op.products, op.in_step.count(),
                     op.cycles_bound.count() * op.times, field(op.bound), op.macs * op.times,
                     op.weight_bytes * op.times, op.cache_bytes * op.times,
                     op.activation_bytes * op.times, op.picojoules * static_cast<double>(op.times));
    }
  }
  return out;
}

std::string operation_groups_csv(const std::vector<RunResult>& results) {
  std::string out = "machine_index,machine,workload,series,group,cycles,energy_pj\n";
  const auto series = operation_series(results);
  for (std::size_t i = 0; i < results.size(); ++i) {
    for (std::size_t s = 0; s < series.size(); ++s) {
      std::uint64_t cycles = 0;
      double picojoules = 0;
      for (const OperationReport& op : results[i].operations) {
        if (op.group != series[s]) continue;
        cycles += op.in_step.count();
        picojoules += op.picojoules * static_cast<double>(op.times);
      }
      fmt::format_to(std::back_inserter(out), "{},{},{},{},{},{},{}\n", i + 1,
                     csv_field(clean(results[i].name)), csv_field(clean(results[i].workload)),
                     s + 1, csv_field(clean(series[s])), cycles, picojoules);
    }
  }
  return out;
}

}  // namespace lacuna::report
