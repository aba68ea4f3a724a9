// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "arch/compute/classes/unit_classes.hpp"
#include "arch/description/read_parts.hpp"

namespace lacuna::description {
namespace {

/// Blocks of a throughput bound as published comparisons count it.
BoundSpec read_bound(const ConfigReader& config) {
  BoundSpec bound;
  if (!config.has("blocks")) return bound;
  bound = {false, false, false, false};
  const std::map<std::string, bool BoundSpec::*> blocks{{"dram", &BoundSpec::dram},
                                                        {"compute", &BoundSpec::compute},
                                                        {"network", &BoundSpec::network},
                                                        {"intersect", &BoundSpec::intersect_k1}};
  for (const auto& text : config.texts("blocks")) {
    const auto found = blocks.find(text);
    if (found == blocks.end()) {
      config.fail("blocks", fmt::format("'{}' is not a block", text),
                  suggest(text, {"dram", "compute", "network", "intersect"}));
    }
    bound.*found->second = true;
  }
  return bound;
}

Features read_features(const ConfigReader& config) {
  return {config.boolean("structured_sparsity", true), config.boolean("overbooking", true),
          config.boolean("tile_estimation", true)};
}

Prices read_prices(const ConfigReader& config) {
  Prices prices;
  prices.set = config.text("set", "");
  prices.table = config.text("table", prices.set.empty() ? "45nm" : "");
  if (!prices.set.empty() && !prices.table.empty()) {
    config.fail("table", "both a component set and a technology table are given",
                "keep one of prices.set and prices.table");
  }
  prices.ert = config.text("ert", "");
  prices.art = config.text("art", "");
  const auto names = config.mapping("names");
  for (const auto& ours : names.keys()) prices.names[ours] = names.text(ours);
  if (!prices.names.empty() && prices.ert.empty() && prices.art.empty()) {
    config.fail("names", "names of an Accelergy table, and none is given", "prices.ert: ERT.yaml");
  }
  prices.cells = config.text("cells", "");
  if (!prices.cells.empty() && !prices.set.empty()) {
    config.fail("cells", "a component set's memories are given, whatever their cells",
                "leave it out, or name a table");
  }
  prices.saf = config.boolean("saf", true);
  return prices;
}

/// The tensors' ranks. Without the key: a product of two matrices.
std::map<std::string, std::vector<std::string>> read_tensors(const ConfigReader& config) {
  if (!config.has("tensors")) return {{"A", {"M", "K"}}, {"B", {"K", "N"}}, {"Z", {"M", "N"}}};
  std::map<std::string, std::vector<std::string>> tensors;
  const ConfigReader entry = config.mapping("tensors");
  for (const auto& name : entry.keys()) {
    for (const auto& rank : entry.texts(name)) {
      const Digit digit = parse_digit(rank, entry.place(name));
      if (!digit.whole) entry.fail(name, fmt::format("'{}' is a digit, not a rank", rank));
      tensors[name].push_back(digit.rank);
    }
  }
  return tensors;
}

/// One for all tensors, or one for each.
std::map<std::string, Precision> read_precision(const ConfigReader& config,
                                                const Context& context) {
  std::map<std::string, Precision> precision;
  const bool common = config.is_scalar("precision");
  for (const auto& tensor : context.tensors) {
    const ConfigReader entry = common ? config : config.mapping("precision");
    const std::string key = common ? "precision" : tensor;
    precision[tensor] = Precision::parse(entry.text(key), entry.place(key));
  }
  return precision;
}

}  // namespace

std::string read_tensor(const ConfigReader& config, std::string_view key, const Context& context) {
  const std::string text = config.text(key);
  if (std::find(context.tensors.begin(), context.tensors.end(), text) == context.tensors.end()) {
    config.fail(key, fmt::format("'{}' is not a tensor of this machine", text),
                suggest(text, context.tensors));
  }
  return text;
}

UnitEntry read_unit(const ConfigReader& config) {
  UnitEntry unit;
  unit.name = config.text("name");
  unit.unit_class = config.text("class");
  unit.at = config.text("at");
  unit.count = config.integer("count", {1, 65536}, 1);
  unit.enabled = config.boolean("enabled", true);
  unit.traits = read_unit_traits(unit.unit_class, config);
  return unit;
}

const Holding* Level::find(std::string_view tensor) const {
  for (const Holding& holding : holds) {
    if (holding.tensor == tensor) return &holding;
  }
  return nullptr;
}

const Level* Machine::find_level(std::string_view wanted) const {
  for (const Level& level : levels) {
    if (level.name == wanted) return &level;
  }
  return nullptr;
}

const UnitEntry* Machine::find_multiplier() const {
  for (const UnitEntry& unit : units) {
    if (unit.enabled && unit.traits.multiplies) return &unit;
  }
  return nullptr;
}

bool Machine::has_rank(const std::string& tensor, const std::string& rank) const {
  const auto& ranks = tensors.at(tensor);
  return std::find(ranks.begin(), ranks.end(), rank) != ranks.end();
}

Machine read(const ConfigReader& config) {
  Machine machine;
  machine.name = config.text("name");
  machine.description = config.text("description", "");
  machine.clock = config.hertz("clock");
  machine.contention = config.boolean("contention", true);
  if (config.has("overlap")) machine.overlap = config.boolean("overlap", true);
  machine.tensors = read_tensors(config);
  Context context{machine.clock, {}};
  for (const auto& [name, ranks] : machine.tensors) context.tensors.push_back(name);
  machine.precision = read_precision(config, context);
  machine.memory = read_memory(config.mapping("memory"), context);
  for (const auto& level : config.mappings("levels")) {
    machine.levels.push_back(read_level(level, context));
  }
  for (const auto& link : config.mappings("links")) {
    machine.links.push_back(read_link(link, context));
  }
  for (const auto& unit : config.mappings("units")) {
    machine.units.push_back(read_unit(unit));
  }
  machine.intersect = read_intersect(config.mapping("intersect"), context);
  machine.outputs = read_outputs(config.mapping("outputs"), context);
  machine.dataflow = read_dataflow(config.mapping("dataflow"), context);
  machine.features = read_features(config.mapping("features"));
  machine.prices = read_prices(config.mapping("prices"));
  machine.bound = read_bound(config.mapping("bound"));
  machine.strict = config.boolean("strict", false);
  check_whole(config, machine);
  return machine;
}

}  // namespace lacuna::description
