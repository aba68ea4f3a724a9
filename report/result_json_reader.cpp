// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>

#include "base/error.hpp"
#include "base/json_text.hpp"
#include "report/result_json.hpp"
#include "run/stall_names.hpp"

namespace lacuna::report {
namespace {

using OrderedJson = nlohmann::ordered_json;

/// A value and where it stands; every getter says what it expected. Null means "not measured" and
/// reads as empty.
class Value {
 public:
  Value(const OrderedJson* json, std::string file, std::string path)
      : json_(json), file_(std::move(file)), path_(std::move(path)) {}

  [[nodiscard]] bool null() const { return json_ == nullptr || json_->is_null(); }

  /// A key the schema has.
  [[nodiscard]] Value at(const std::string& key) const {
    Value child = get(key);
    if (!null() && child.json_ == nullptr) child.fail("is missing");
    return child;
  }
  /// A key that may be absent.
  [[nodiscard]] Value get(const std::string& key) const {
    if (!null() && !json_->is_object()) fail("expected an object");
    const auto found = null() ? OrderedJson::const_iterator{} : json_->find(key);
    const bool has = !null() && found != json_->end();
    return {has ? &*found : nullptr, file_, path_.empty() ? key : path_ + "." + key};
  }

  void read(std::string& out) const {
    if (null()) return;
    if (!json_->is_string()) fail("expected a text");
    out = json_->get<std::string>();
  }
  void read(bool& out) const {
    if (null()) return;
    if (!json_->is_boolean()) fail("expected true or false");
    out = json_->get<bool>();
  }
  void read(std::uint64_t& out) const {
    if (null()) return;
    if (!json_->is_number_unsigned()) fail("expected a whole number, 0 or more");
    out = json_->get<std::uint64_t>();
  }
  void read(Cycles& out) const {
    std::uint64_t count = 0;
    read(count);
    out = Cycles(count);
  }
  /// Null stands for a number that was not finite; where nothing was measured the caller does not
  /// ask.
  void read(double& out) const {
    if (json_ == nullptr) return;
    if (!json_->is_null() && !json_->is_number()) fail("expected a number");
    out = json_->is_null() ? std::numeric_limits<double>::quiet_NaN() : json_->get<double>();
  }
  template <class T>
  void read(std::vector<T>& out) const {
    if (null()) return;
    if (!json_->is_array()) fail("expected a list");
    for (std::size_t i = 0; i < json_->size(); ++i) {
      T item{};
      element(i).read(item);
      out.push_back(std::move(item));
    }
  }
  template <class First, class Second>
  void read(std::pair<First, Second>& out) const {
    if (null() || !json_->is_array() || json_->size() != 2) fail("expected a pair of numbers");
    element(0).read(out.first);
    element(1).read(out.second);
  }
  template <class T>
  void read(std::map<std::string, T>& out) const {
    each([&](const std::string& key, const Value& value) { value.read(out[key]); });
  }
  template <class Action>
  void each(const Action& action) const {
    if (null()) return;
    if (!json_->is_object()) fail("expected an object");
    for (const auto& [key, child] : json_->items()) {
      action(key, Value(&child, file_, path_.empty() ? key : path_ + "." + key));
    }
  }
  [[nodiscard]] Value element(std::size_t i) const {
    return {&(*json_)[i], file_, fmt::format("{}[{}]", path_, i)};
  }
  [[nodiscard]] std::size_t elements() const {
    return json_ != nullptr && json_->is_array() ? json_->size() : 0;
  }
  [[noreturn]] void fail(const std::string& problem, const std::string& suggestion = {}) const {
    throw InputError(Place{file_, 0, path_}, problem, suggestion);
  }

 private:
  const OrderedJson* json_;
  std::string file_;
  std::string path_;
};

void read_traffic(const Value& from, Traffic& out) {
  from.each([&](const std::string& level, const Value& tensors) {
    auto& of_level = out[level];
    tensors.each([&](const std::string& tensor, const Value& moved) {
      moved.at("read_bytes").read(of_level[tensor].read_bytes);
      moved.at("write_bytes").read(of_level[tensor].write_bytes);
    });
  });
}

void read_energy(const Value& root, EnergyReport& out) {
  const Value energy = root.at("energy_pj");
  energy.at("total").read(out.total_picojoules);
  energy.get("static").read(out.static_picojoules);
  energy.at("components").each([&](const std::string& name, const Value& picojoules) {
    picojoules.read(out.components[name].picojoules);
  });
  if (const Value area = root.at("area_um2"); !energy.null()) area.read(out.area_um2);
  root.get("energy_table").read(out.table);
  root.get("energy_flags").read(out.flags);
  root.get("prices").each([&](const std::string& name, const Value& value) {
    PriceReport& price = out.prices.emplace_back();
    price.component = name;
    value.at("instances").read(price.count);
    value.at("actions_pj").read(price.actions);
    value.at("area_um2").read(price.area_um2);
    value.at("static_mw").read(price.static_mw);
    value.at("static_action").read(price.static_action);
    value.at("source").read(price.source);
    value.at("standing").read(price.standing);
    value.at("flags").read(price.flags);
  });
}

void read_actions(const Value& from, RunResult& out) {
  from.each([&](const std::string& component, const Value& actions) {
    auto& counts = out.statistics.actions;
    // An empty component was written from the counts: energies always name an action.
    bool counted = false;
    bool any = false;
    actions.each([&](const std::string& action, const Value& value) {
      any = true;
      if (const Value count = value.get("count"); !count.null()) {
        count.read(counts[component][action]);
        counted = true;
      }
      if (const Value energy = value.get("energy_pj"); !energy.null()) {
        energy.read(out.energy.components[component].by_action[action]);
      }
    });
    if (!any && !counted) counts[component];
  });
}

void read_tiling(const Value& from, std::map<std::string, TilingReport>& out) {
  from.each([&](const std::string& operand, const Value& value) {
    TilingReport& t = out[operand];
    value.at("strategy").read(t.strategy);
    value.at("shape").read(t.shape);
    value.get("ranks").read(t.ranks);
    value.at("tiles").read(t.tiles);
    value.at("overbooked_fraction").read(t.overbooked_fraction);
    value.at("buffer_utilization").read(t.buffer_utilization);
    value.get("clamped").read(t.clamped);
    value.get("share_bytes").read(t.share_bytes);
    value.get("work_nonzeros").read(t.work_nonzeros);
    value.get("occupancy").read(t.occupancy);
  });
}

void read_statistics(const Value& root, MachineStatistics& s) {
  root.at("cycles").read(s.cycles);
  root.at("cycles_bound").read(s.cycles_bound);
  root.get("cycles_bound_by").read(s.cycles_bound_by);
  root.at("bound").read(s.bound);
  root.at("utilization").read(s.utilization);
  root.get("dram_bandwidth").get("peak_bytes_per_cycle").read(s.dram_bytes_per_cycle);
  read_traffic(root.at("traffic"), s.traffic);
  root.get("bounds").read(s.bounds);
  const Value stalls = root.get("stalls");
  for (const StallName& name : kStallNames) {
    stalls.get(std::string(name.key)).read(s.stalls.*name.cycles);
  }
  root.get("iterations").read(s.iterations);
  root.get("pe_busy").read(s.pe_busy);
  const Value counts = root.get("counts");
  counts.get("adds").read(s.adds);
  counts.get("z_nonzeros").read(s.z_nonzeros);
  counts.get("b_bytes_as_read").read(s.b_bytes_as_read);
}

void read_macs_and_check(const Value& root, RunResult& r) {
  const Value macs = root.at("macs");
  macs.at("dense").read(r.macs_dense);
  macs.at("effectual").read(r.statistics.macs_effectual);
  macs.at("gated").read(r.macs_gated);
  macs.at("skipped").read(r.macs_skipped);
  const Value check = root.at("check");
  check.at("performed").read(r.check.performed);
  check.at("passed").read(r.check.passed);
  check.at("max_relative_error").read(r.check.max_relative_error);
  check.get("reference").read(r.check.reference);
}

void read_origin(const Value& root, RunResult& r) {
  const Value provenance = root.at("provenance");
  provenance.at("version").read(r.provenance.version);
  provenance.at("seed").read(r.provenance.seed);
  provenance.at("fidelity").read(r.provenance.fidelity);
  provenance.at("inputs").read(r.provenance.inputs);
  provenance.at("warnings").read(r.provenance.warnings);
  provenance.get("sampling_error").read(r.provenance.sampling_error);
  const Value host = root.at("host");
  host.at("wall_s").read(r.host.wall_s);
  host.at("peak_rss_bytes").read(r.host.peak_rss_bytes);
  host.at("events").read(r.host.events);
  r.statistics.activations = r.host.events;
}

RunResult read_result(const Value& root) {
  std::string schema;
  root.at("schema").read(schema);
  if (schema != kResultSchema) {
    root.at("schema").fail(fmt::format("'{}' is not a schema this version reads", schema),
                           fmt::format("expected {}", kResultSchema));
  }
  RunResult r;
  root.at("name").read(r.name);
  root.get("workload").read(r.workload);
  root.get("unsupported").read(r.unsupported);
  double hertz = 0;
  root.at("clock_hz").read(hertz);
  if (!(hertz > 0) || !std::isfinite(hertz)) root.at("clock_hz").fail("expected more than 0");
  r.clock = Hertz(hertz);
  const Value operands = root.get("operands");
  operands.get("format").read(r.format.name);
  std::uint64_t bits = 0;
  operands.get("bits").read(bits);
  r.format.bits = static_cast<std::uint32_t>(bits);
  root.get("phase").read(r.step.phase);
  root.get("sequences").read(r.step.sequences);
  root.get("tokens").read(r.step.tokens);
  static_cast<void>(root.at("time_s"));  // follows from cycles and clock
  if (r.unsupported.empty() && root.at("cycles").null()) {
    root.at("cycles").fail("expected a whole number", "null stands beside 'unsupported' only");
  }
  read_statistics(root, r.statistics);
  read_macs_and_check(root, r);
  read_energy(root, r.energy);
  read_tiling(root.at("tiling"), r.tiling);
  read_actions(root.get("actions"), r);
  root.get("beside").read(r.beside);
  read_origin(root, r);
  return r;
}

OrderedJson parse(std::string_view text, const std::string& file) {
  return parse_json<OrderedJson>(text, {file, 1, limits::kContentBytes});
}

}  // namespace

RunResult parse_result_json(std::string_view text, const std::string& file) {
  const OrderedJson json = parse(text, file);
  const Value root(&json, file, {});
  if (!json.is_object()) {
    root.fail("expected one result, an object",
              json.is_array() ? "the file holds a list of results" : "");
  }
  return read_result(root);
}

std::vector<RunResult> parse_results_json(std::string_view text, const std::string& file) {
  const OrderedJson json = parse(text, file);
  const Value root(&json, file, {});
  std::vector<RunResult> results;
  if (json.is_object()) {
    results.push_back(read_result(root));
    return results;
  }
  if (!json.is_array()) root.fail("expected a result or a list of results");
  for (std::size_t i = 0; i < root.elements(); ++i) {
    const Value item = root.element(i);
    if (!json[i].is_object()) item.fail("expected a result, an object");
    results.push_back(read_result(item));
  }
  return results;
}

}  // namespace lacuna::report
