// SPDX-License-Identifier: Apache-2.0
#include "report/csv.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/csv_text.hpp"
#include "run/stall_names.hpp"

namespace lacuna::report {
namespace {

using Row = std::vector<std::pair<std::string, std::string>>;  // column, value

std::string number(double value) {
  return std::isfinite(value) ? fmt::format("{}", value) : std::string();
}

std::string number(std::uint64_t value) {
  return fmt::format("{}", value);
}

const char* truth(bool value) {
  return value ? "true" : "false";
}

void add_time_and_macs(const RunResult& r, Row& row) {
  const MachineStatistics& s = r.statistics;
  row.emplace_back("cycles", number(s.cycles.count()));
  row.emplace_back("time_s", number(r.seconds()));
  row.emplace_back("cycles_bound", number(s.cycles_bound.count()));
  row.emplace_back("cycles_bound_by", s.cycles_bound_by);
  row.emplace_back("bound", s.bound);
  for (const auto& [block, cycles] : s.bounds) {
    row.emplace_back(fmt::format("bound_{}_cycles", block), number(cycles.count()));
  }
  for (const auto& [block, share] : s.utilization) {
    row.emplace_back(fmt::format("utilization_{}_fraction", block), number(share));
  }
  if (r.step.tokens > 0) {
    row.emplace_back("step_tokens", number(r.step.tokens));
    row.emplace_back("step_sequences", number(r.step.sequences));
    row.emplace_back("time_to_first_token_s", r.is_first_token() ? number(r.seconds()) : "");
    row.emplace_back("time_per_output_token_s", r.is_output_token() ? number(r.seconds()) : "");
    row.emplace_back("tokens_per_s", r.step.phase.empty() ? "" : number(r.tokens_per_second()));
  }
  row.emplace_back("macs_dense", number(r.macs_dense));
  row.emplace_back("macs_effectual", number(s.macs_effectual));
  row.emplace_back("macs_gated", number(r.macs_gated));
  row.emplace_back("macs_skipped", number(r.macs_skipped));
  row.emplace_back("adds", number(s.adds));
  row.emplace_back("z_nonzeros", number(s.z_nonzeros));
}

void add_traffic_and_energy(const RunResult& r, Row& row) {
  for (const auto& [level, tensors] : r.statistics.traffic) {
    for (const auto& [tensor, moved] : tensors) {
      const std::string stem = fmt::format("traffic_{}_{}", level, tensor);
      row.emplace_back(stem + "_read_bytes", number(moved.read_bytes));
      row.emplace_back(stem + "_write_bytes", number(moved.write_bytes));
    }
  }
  row.emplace_back("energy_pj", number(r.energy.total_picojoules));
  for (const auto& [component, report] : r.energy.components) {
    row.emplace_back(fmt::format("energy_{}_pj", component), number(report.picojoules));
  }
  row.emplace_back("edp_j_s", number(r.energy.total_picojoules * 1e-12 * r.seconds()));
  row.emplace_back("area_um2", number(r.energy.area_um2));
}

void add_tiling(const RunResult& r, Row& row) {
  for (const auto& [operand, t] : r.tiling) {
    const std::string stem = fmt::format("tiling_{}_", operand);
    row.emplace_back(stem + "strategy", t.strategy);
    row.emplace_back(stem + "shape_coordinates", fmt::format("{}", fmt::join(t.shape, "x")));
    row.emplace_back(stem + "tiles", number(t.tiles));
    row.emplace_back(stem + "overbooked_fraction", number(t.overbooked_fraction));
    row.emplace_back(stem + "buffer_utilization_fraction", number(t.buffer_utilization));
    row.emplace_back(stem + "share_bytes", number(t.share_bytes));
  }
}

void add_measured(const RunResult& r, Row& row) {
  add_time_and_macs(r, row);
  add_traffic_and_energy(r, row);
  add_tiling(r, row);
  for (const StallName& name : kStallNames) {
    row.emplace_back(fmt::format("{}_pe_cycles", name.key),
                     number(r.statistics.stalls.*name.cycles));
  }
  for (const auto& [name, count] : r.beside) row.emplace_back("beside_" + name, number(count));
  row.emplace_back("check_performed", truth(r.check.performed));
  row.emplace_back("check_passed", r.check.performed ? truth(r.check.passed) : "");
  row.emplace_back("check_max_relative_error",
                   r.check.performed ? number(r.check.max_relative_error) : std::string());
}

Row row_of(const RunResult& r) {
  Row row{{"machine", r.name},
          {"workload", r.workload},
          {"unsupported", r.unsupported},
          {"clock_hz", number(r.clock.count())},
          {"operand_format", r.format.name},
          {"operand_bits", r.format.bits == 0 ? "" : fmt::format("{}", r.format.bits)}};
  if (r.unsupported.empty()) add_measured(r, row);
  row.emplace_back("version", r.provenance.version);
  row.emplace_back("seed", number(r.provenance.seed));
  row.emplace_back("fidelity", r.provenance.fidelity);
  return row;
}

/// Every column once; one that only a later row has goes behind its neighbour in that row.
std::vector<std::string> columns_of(const std::vector<Row>& rows) {
  std::vector<std::string> columns;
  for (const Row& row : rows) {
    auto behind = columns.begin();
    for (const auto& [column, value] : row) {
      auto at = std::find(columns.begin(), columns.end(), column);
      if (at == columns.end()) at = columns.insert(behind, column);
      behind = at + 1;
    }
  }
  return columns;
}

}  // namespace

std::string results_csv(const std::vector<RunResult>& results) {
  std::vector<Row> rows;
  for (const RunResult& result : results) rows.push_back(row_of(result));
  std::string out;
  const std::vector<std::string> columns = columns_of(rows);
  for (const std::string& column : columns) {
    out += (out.empty() ? "" : ",") + csv_field(column);
  }
  out += '\n';
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const auto at = std::find_if(row.begin(), row.end(),
                                   [&](const auto& field) { return field.first == columns[i]; });
      if (i != 0) out += ',';
      if (at != row.end()) out += csv_field(at->second);
    }
    out += '\n';
  }
  return out;
}

}  // namespace lacuna::report
