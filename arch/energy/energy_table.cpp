// SPDX-License-Identifier: Apache-2.0
#include "arch/energy/energy_table.hpp"

#include <algorithm>
#include <system_error>

#include "base/quantity_text.hpp"

namespace lacuna {
namespace {

constexpr Range kPositive{1e-12, 1e12};
constexpr Range kNotNegative{0, 1e12};

unsigned small(const ConfigReader& config, std::string_view key, double most,
               std::optional<std::uint64_t> def = {}) {
  return static_cast<unsigned>(config.integer(key, {1, most}, def));
}

std::optional<double> maybe(const ConfigReader& config, std::string_view key) {
  if (!config.has(key)) return std::nullopt;
  return config.number(key, kNotNegative);
}

UnitRows read_unit(const ConfigReader& config) {
  UnitRows unit;
  unit.base_width = small(config, "base_width", 64);
  unit.power = config.choice<unsigned>("scaling", {{"linear", 1U}, {"quadratic", 2U}});
  unit.scaling_inferred =
      config.choice<bool>("scaling_standing", {{"published", false}, {"inferred", true}}, false);
  for (const auto& row : config.mappings("rows")) {
    unit.rows.push_back({row.number("clock_ns", kPositive), row.number("pj", kNotNegative),
                         maybe(row, "idle_pj"), maybe(row, "area_um2")});
    if (unit.rows.size() > 1 &&
        unit.rows.back().clock_ns <= unit.rows[unit.rows.size() - 2].clock_ns) {
      row.fail("clock_ns", "the rows must be in ascending order of clock");
    }
  }
  if (unit.rows.empty()) config.fail("rows", "a unit needs at least one row");
  return unit;
}

SramRules read_sram(const ConfigReader& config) {
  SramRules rules;
  rules.bank_share = config.number("bank_share", {0, 1});
  rules.cells = config.text("cells", std::string(kStandbyCells));
  const auto leakage = config.mapping("cell_leakage");
  for (const auto& cells : leakage.keys()) {
    const auto by_node = leakage.mapping(cells);
    for (const auto& node : by_node.keys()) {
      const auto nm = parse_integer(node);
      if (!nm || *nm == 0 || *nm > 1000) {
        by_node.fail(node, fmt::format("'{}' is not a node in nm", shortened(node)), "45");
      }
      rules.cell_leakage[cells][static_cast<unsigned>(*nm)] = by_node.number(node, kPositive);
    }
  }
  return rules;
}

/// "40", pJ per bit, or a mapping with the channel.
DramPrice read_dram(const ConfigReader& dram, const std::string& kind) {
  if (dram.is_scalar(kind)) return {dram.number(kind, kNotNegative), {}};
  const auto config = dram.mapping(kind);
  DramPrice price{config.number("pj_per_bit", kNotNegative), DramChannelPrice{}};
  DramChannelPrice& channel = *price.channel;
  channel.gigabytes_per_s = config.number("gigabytes_per_s", kPositive);
  channel.background_mw = config.number("background_mw", kNotNegative);
  channel.refresh_mw = config.number("refresh_mw", kNotNegative);
  channel.interface_mm2 = config.number("interface_mm2", kNotNegative);
  channel.standing = config.text("standing", "published");
  return price;
}

void read_saf(const ConfigReader& config, EnergyTable& table) {
  table.saf_node_nm = small(config, "node_nm", 1000);
  const auto units = config.mapping("units");
  for (const auto& name : units.keys()) {
    auto& rows = table.saf_units[name];
    for (const auto& row : units.mappings(name)) {
      rows.push_back({row.number("size", kPositive), row.number("pj", kPositive),
                      row.number("area_um2", kPositive)});
      if (rows.size() > 1 && rows.back().size <= rows[rows.size() - 2].size) {
        row.fail("size", "the rows must be in ascending order of size");
      }
    }
    if (rows.empty()) units.fail(name, "a unit needs at least one row");
  }
}

bool is_path(std::string_view text) {
  return text.find('/') != std::string_view::npos || text.ends_with(".yaml");
}

}  // namespace

EnergyTable EnergyTable::read(const ConfigReader& config) {
  EnergyTable table;
  table.name = config.text("name");
  table.standing = config.text("standing", "published");
  table.node_nm = small(config, "node_nm", 1000);
  table.rows_node_nm = small(config, "rows_node_nm", 1000, table.node_nm);
  table.vdd = config.number("vdd", {0.3, 2.0}, 0.8);
  table.default_clock_ns = config.number("default_clock_ns", {0.01, 1000}, 5.0);
  const auto units = config.mapping("units");
  for (const auto& name : units.keys()) table.units[name] = read_unit(units.mapping(name));
  const auto anchors = config.mapping("anchors");
  for (const auto& name : anchors.keys()) {
    const auto anchor = anchors.mapping(name);
    if (name != "mac" && name != "register") {
      anchors.fail(name, fmt::format("'{}' cannot be anchored", name),
                   suggest(name, {"mac", "register"}));
    }
    table.anchors[name] = {small(anchor, "bits", 64), anchor.number("pj", kPositive),
                           anchor.number("idle_pj", kNotNegative),
                           anchor.number("area_um2", kNotNegative)};
  }
  table.multiplier_reused_factor = config.number("multiplier_reused_factor", {0, 1});
  const auto wire = config.mapping("wire");
  table.wire_activity = wire.number("activity", {0, 1});
  table.wire_ff_per_um = wire.number("ff_per_um", kPositive);
  table.wire_volts = wire.number("volts", kPositive);
  table.sram = read_sram(config.mapping("sram"));
  const auto dram = config.mapping("dram");
  for (const auto& kind : dram.keys()) {
    table.dram[kind] = read_dram(dram, kind);
  }
  read_saf(config.mapping("saf"), table);
  config.finish();
  return table;
}

EnergyTable EnergyTable::load(const std::filesystem::path& file) {
  return read(ConfigReader(ConfigTree::load(file)));
}

EnergyTable EnergyTable::load(std::string_view name_or_path,
                              std::span<const std::filesystem::path> folders) {
  return load(find_energy_file(name_or_path, folders));
}

std::filesystem::path find_energy_file(std::string_view name_or_path,
                                       std::span<const std::filesystem::path> folders) {
  if (is_path(name_or_path)) return std::filesystem::path(name_or_path);
  std::vector<std::string> known;
  std::string searched;
  std::error_code error;
  for (const auto& top : folders) {
    for (const auto& folder : {top, top / "published"}) {
      const auto file = folder / (std::string(name_or_path) + ".yaml");
      if (std::filesystem::is_regular_file(file, error)) return file;
      for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end;
           at.increment(error)) {
        if (at->path().extension() == ".yaml") known.push_back(at->path().stem().string());
      }
    }
    searched += (searched.empty() ? "" : ", ") + top.string();
  }
  std::sort(known.begin(), known.end());
  throw InputError(fmt::format("no energy table named '{}' in {}", name_or_path,
                               searched.empty() ? "(no folder to search)" : searched),
                   known.empty() ? "give the path of a .yaml file" : suggest(name_or_path, known));
}

}  // namespace lacuna
