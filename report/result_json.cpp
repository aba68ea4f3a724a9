// SPDX-License-Identifier: Apache-2.0
#include "report/result_json.hpp"

#include <nlohmann/json.hpp>

#include "run/stall_names.hpp"

namespace lacuna::report {
namespace {

using OrderedJson = nlohmann::ordered_json;

OrderedJson traffic_json(const Traffic& traffic) {
  OrderedJson out = OrderedJson::object();
  for (const auto& [level, tensors] : traffic) {
    OrderedJson& of_level = out[level] = OrderedJson::object();
    for (const auto& [tensor, moved] : tensors) {
      of_level[tensor] = {{"read_bytes", moved.read_bytes}, {"write_bytes", moved.write_bytes}};
    }
  }
  return out;
}

OrderedJson energy_json(const EnergyReport& energy) {
  OrderedJson components = OrderedJson::object();
  for (const auto& [name, component] : energy.components) components[name] = component.picojoules;
  return {{"total", energy.total_picojoules},
          {"static", energy.static_picojoules},
          {"components", components}};
}

/// Where the price of each component comes from, whether or not anything of it was counted.
OrderedJson prices_json(const EnergyReport& energy) {
  OrderedJson out = OrderedJson::object();
  for (const PriceReport& p : energy.prices) {
    out[p.component] = {{"instances", p.count},
                        {"actions_pj", p.actions},
                        {"area_um2", p.area_um2},
                        {"static_mw", p.static_mw},
                        {"static_action", p.static_action},
                        {"source", p.source},
                        {"standing", p.standing},
                        {"flags", p.flags}};
  }
  return out;
}

/// Counts and energies of actions come from two maps that need not have the same keys.
OrderedJson actions_json(const ActionCounts& counts, const EnergyReport& energy) {
  OrderedJson out = OrderedJson::object();
  for (const auto& [component, actions] : counts) {
    OrderedJson& of_component = out[component] = OrderedJson::object();
    for (const auto& [action, count] : actions) of_component[action]["count"] = count;
  }
  for (const auto& [component, report] : energy.components) {
    for (const auto& [action, picojoules] : report.by_action) {
      out[component][action]["energy_pj"] = picojoules;
    }
  }
  return out;
}

OrderedJson tiling_json(const std::map<std::string, TilingReport>& tiling) {
  OrderedJson out = OrderedJson::object();
  for (const auto& [operand, t] : tiling) {
    OrderedJson occupancy = OrderedJson::array();
    for (const auto& [share, bytes] : t.occupancy)
      occupancy.push_back(OrderedJson::array({share, bytes}));
    out[operand] = {{"strategy", t.strategy},
                    {"shape", t.shape},
                    {"ranks", t.ranks},
                    {"tiles", t.tiles},
                    {"overbooked_fraction", t.overbooked_fraction},
                    {"buffer_utilization", t.buffer_utilization},
                    {"clamped", t.clamped},
                    {"share_bytes", t.share_bytes},
                    {"work_nonzeros", t.work_nonzeros},
                    {"occupancy", occupancy}};
  }
  return out;
}

OrderedJson stalls_json(const StallBreakdown& stalls) {
  OrderedJson out = OrderedJson::object();
  for (const StallName& name : kStallNames) out[std::string(name.key)] = stalls.*name.cycles;
  return out;
}

OrderedJson bounds_json(const std::map<std::string, Cycles>& bounds) {
  OrderedJson out = OrderedJson::object();
  for (const auto& [block, cycles] : bounds) out[block] = cycles.count();
  return out;
}

OrderedJson meters_json(const Meters& meters) {
  OrderedJson ports = OrderedJson::object();
  for (const auto& [name, use] : meters.ports) {
    ports[name] = {{"total", use.total}, {"fullest_1024_cycles", use.fullest}};
    if (use.waited) ports[name]["waited_cycles"] = *use.waited;
  }
  OrderedJson out{{"ports", ports}, {"high_water_bytes", meters.high_water}};
  if (meters.banks) {
    const BankUse& banks = *meters.banks;
    out["dram_banks"] = {{"bursts", banks.bursts},         {"row_hits", banks.row_hits},
                         {"row_misses", banks.row_misses}, {"row_conflicts", banks.row_conflicts},
                         {"refreshes", banks.refreshes},   {"turnarounds", banks.turnarounds}};
  }
  return out;
}

OrderedJson dram_bandwidth_json(const MachineStatistics& s) {
  const double achieved = achieved_dram_bandwidth(s);
  return {{"achieved_bytes_per_cycle", achieved},
          {"peak_bytes_per_cycle", s.dram_bytes_per_cycle},
          {"achieved_over_peak", std::isfinite(s.dram_bytes_per_cycle)
                                     ? achieved / s.dram_bytes_per_cycle
                                     : std::numeric_limits<double>::quiet_NaN()}};
}

void add_measured(OrderedJson& out, const RunResult& r) {
  const MachineStatistics& s = r.statistics;
  out["macs"] = {{"dense", r.macs_dense},
                 {"effectual", s.macs_effectual},
                 {"gated", r.macs_gated},
                 {"skipped", r.macs_skipped}};
  out["traffic"] = traffic_json(s.traffic);
  out["energy_pj"] = energy_json(r.energy);
  out["area_um2"] = r.energy.area_um2;
  out["cycles_bound"] = s.cycles_bound.count();
  out["cycles_bound_by"] = s.cycles_bound_by;
  out["bound"] = s.bound;
  out["utilization"] = s.utilization;
  out["dram_bandwidth"] = dram_bandwidth_json(s);
  out["tiling"] = tiling_json(r.tiling);
  out["check"] = {{"performed", r.check.performed},
                  {"passed", r.check.passed},
                  {"max_relative_error", r.check.max_relative_error},
                  {"reference", r.check.reference}};
}

/// Of one execution, alone; `times` says how many there are, whose cycles in the step come
/// together.
OrderedJson operations_json(const std::vector<OperationReport>& operations) {
  OrderedJson out = OrderedJson::array();
  for (const OperationReport& op : operations) {
    out.push_back({{"name", op.name},
                   {"group", op.group},
                   {"block", op.block},
                   {"times", op.times},
                   {"products", op.products},
                   {"cycles", op.cycles.count()},
                   {"cycles_in_step", op.in_step.count()},
                   {"cycles_bound", op.cycles_bound.count()},
                   {"bound", op.bound},
                   {"macs", op.macs},
                   {"dram_weight_bytes", op.weight_bytes},
                   {"dram_cache_bytes", op.cache_bytes},
                   {"dram_activation_bytes", op.activation_bytes},
                   {"energy_pj", op.picojoules},
                   {"tile_columns", op.tile_columns},
                   {"tiles", op.tiles},
                   {"overbooked_fraction", op.overbooked_fraction}});
  }
  return out;
}

/// What a user waits for, and throughput, by names that say which is which.
void add_step(OrderedJson& out, const RunResult& r) {
  out["tokens"] = r.step.tokens;
  out["sequences"] = r.step.sequences;
  if (!r.step.phase.empty()) out["phase"] = r.step.phase;
  if (r.is_first_token()) out["time_to_first_token_s"] = r.seconds();
  if (r.is_output_token()) out["time_per_output_token_s"] = r.seconds();
  if (!r.step.phase.empty()) out["tokens_per_s"] = r.tokens_per_second();
  out["energy_pj_per_token"] = r.energy.total_picojoules / static_cast<double>(r.step.tokens);
}

void add_extras(OrderedJson& out, const RunResult& r) {
  const MachineStatistics& s = r.statistics;
  out["bounds"] = bounds_json(s.bounds);
  out["stalls"] = stalls_json(s.stalls);
  out["iterations"] = s.iterations;
  out["counts"] = {
      {"adds", s.adds}, {"z_nonzeros", s.z_nonzeros}, {"b_bytes_as_read", s.b_bytes_as_read}};
  out["actions"] = actions_json(s.actions, r.energy);
  out["pe_busy"] = s.pe_busy;
  if (!s.meters.ports.empty()) out["meters"] = meters_json(s.meters);
  out["beside"] = r.beside;
  if (r.step.tokens > 0) add_step(out, r);
  if (!r.operations.empty()) out["operations"] = operations_json(r.operations);
  out["energy_table"] = r.energy.table;
  out["energy_flags"] = r.energy.flags;
  if (!r.energy.prices.empty()) out["prices"] = prices_json(r.energy);
}

OrderedJson to_json(const RunResult& r) {
  OrderedJson out;
  out["schema"] = kResultSchema;
  out["name"] = r.name;
  out["workload"] = r.workload;
  if (!r.unsupported.empty()) out["unsupported"] = r.unsupported;
  out["cycles"] = r.statistics.cycles.count();
  out["clock_hz"] = r.clock.count();
  if (r.format.bits > 0) out["operands"] = {{"format", r.format.name}, {"bits", r.format.bits}};
  out["time_s"] = r.seconds();
  add_measured(out, r);
  out["provenance"] = {{"version", r.provenance.version},
                       {"seed", r.provenance.seed},
                       {"fidelity", r.provenance.fidelity},
                       {"inputs", r.provenance.inputs},
                       {"warnings", r.provenance.warnings}};
  if (!r.provenance.sampling_error.empty()) {
    out["provenance"]["sampling_error"] = r.provenance.sampling_error;
  }
  out["host"] = {{"wall_s", r.host.wall_s},
                 {"peak_rss_bytes", r.host.peak_rss_bytes},
                 {"events", r.host.events}};
  add_extras(out, r);
  if (!r.unsupported.empty()) {
    // A zero would read as a result; nothing was measured.
    for (const char* key :
         {"cycles",       "time_s",          "macs",   "traffic",     "energy_pj",      "area_um2",
          "cycles_bound", "cycles_bound_by", "bound",  "utilization", "dram_bandwidth", "tiling",
          "check",        "bounds",          "stalls", "iterations",  "counts",         "actions",
          "pe_busy",      "beside"}) {
      out[key] = nullptr;
    }
  }
  return out;
}

std::string compact(const OrderedJson& value) {
  return value.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

/// Objects over lines, lists of values on one: a result has lists of hundreds of numbers.
void print(const OrderedJson& value, std::size_t indent, std::string& out) {
  if (!value.is_object() || value.empty()) {
    out += compact(value);
    return;
  }
  out += "{\n";
  bool first = true;
  for (const auto& [key, child] : value.items()) {
    if (!first) out += ",\n";
    first = false;
    out.append(indent + 2, ' ');
    out += compact(OrderedJson(key)) + ": ";
    print(child, indent + 2, out);
  }
  out += '\n';
  out.append(indent, ' ');
  out += '}';
}

}  // namespace

std::string result_json(const RunResult& result) {
  std::string out;
  print(to_json(result), 0, out);
  out += '\n';
  return out;
}

std::string results_json(const std::vector<RunResult>& results) {
  if (results.size() == 1) return result_json(results.front());
  std::string out = "[";
  for (std::size_t i = 0; i < results.size(); ++i) {
    out += i == 0 ? "\n" : ",\n";
    print(to_json(results[i]), 0, out);
  }
  return out + "\n]\n";
}

}  // namespace lacuna::report
