// SPDX-License-Identifier: Apache-2.0
#include "arch/energy/component.hpp"

#include <algorithm>
#include <cmath>

namespace lacuna {
namespace {

std::string join(const std::vector<std::string>& names) {
  return fmt::format("{}", fmt::join(names, ", "));
}

std::vector<std::string> action_names(const ComponentEnergy& component) {
  std::vector<std::string> names;
  for (const auto& [action, energy] : component.actions) names.push_back(action);
  return names;
}

std::vector<std::string> component_names(const ComponentSet& set) {
  std::vector<std::string> names;
  for (const auto& component : set.components) names.push_back(component.name);
  return names;
}

ComponentEnergy from_unit(std::string name, std::string component_class, std::string_view action,
                          const UnitCost& cost) {
  ComponentEnergy component;
  component.name = std::move(name);
  component.component_class = std::move(component_class);
  component.actions = {{std::string(action), cost.energy}, {"idle", cost.idle}};
  component.area = cost.area;
  component.standing = "computed";
  component.flags = cost.flags;
  component.static_mw = cost.leakage_mw;
  return component;
}

ComponentEnergy from_memory(std::string name, std::string component_class, const SramCost& cost) {
  ComponentEnergy component;
  component.name = std::move(name);
  component.component_class = std::move(component_class);
  component.actions = {
      {"read", cost.read}, {"write", cost.write}, {"gated", cost.idle}, {"idle", cost.idle}};
  component.area = cost.area;
  component.standing = "computed";
  component.flags = cost.flags;
  component.static_mw = cost.leakage_mw;
  return component;
}

const std::vector<std::string> kComponentClasses{
    "dram",       "sram",       "memory",   "register_file", "register",
    "counter",    "comparator", "bitwise",  "shifter",       "adder",
    "multiplier", "mac",        "crossbar", "wire",          "saf"};

/// The keys of one component that is given by its class.
struct Spec {
  const EnergyTable& table;
  const ConfigReader& config;
  std::string name;
  std::string component_class;

  [[nodiscard]] unsigned small(std::string_view key, double most,
                               std::optional<std::uint64_t> def = {}) const {
    return static_cast<unsigned>(config.integer(key, {1, most}, def));
  }
  [[nodiscard]] unsigned width() const { return small("width_bits", 1 << 20); }
  [[nodiscard]] std::optional<double> clock() const {
    if (!config.has("clock_ns")) return std::nullopt;
    return config.number("clock_ns", {0.01, 1000});
  }
  [[nodiscard]] Precision precision(std::string_view key) const {
    const std::string text = config.text(key);
    return Precision::parse(text, config.place(key));
  }

  /// "1" and "2" are ports that read and write, as the published tables count them.
  [[nodiscard]] SramPorts ports() const {
    const std::string text = config.text("ports", "1");
    if (text == "1") return SramPorts::rw1;
    if (text == "2") return SramPorts::rw2;
    const auto ports = parse_sram_ports(text);
    if (!ports) {
      config.fail("ports",
                  fmt::format("'{}' are no ports that SRAM is priced with", shortened(text)),
                  "1rw (or 1), 2rw (or 2), 1r1w");
    }
    return *ports;
  }

  [[nodiscard]] ComponentEnergy memory() const {
    if (component_class == "dram") {
      const unsigned width_bits = small("width_bits", 1 << 20, 64);
      return dram_component(table, name, config.text("kind"), width_bits);
    }
    if (component_class == "sram") {
      return sram_component(table, name,
                            {config.bytes("capacity"), width(), small("banks", 65536, 1), ports()});
    }
    const auto depth = config.integer("depth", {1, 1e15});
    if (component_class == "memory") {
      const unsigned width_bits = width();
      auto component = from_memory(
          name, "memory",
          memory_cost(table, depth, width_bits, small("banks", 65536, 1), ports(), clock()));
      component.width_bits = width_bits;
      return component;
    }
    const unsigned width_bits = width();
    const UnitCost file = register_file_cost(table, depth, width_bits, clock());
    auto component = from_memory(
        name, "register_file",
        {file.energy, file.energy, file.idle, file.area, file.leakage_mw, 0, 0, file.flags});
    component.width_bits = width_bits;
    return component;
  }

  [[nodiscard]] ComponentEnergy logic() const {
    if (component_class == "mac") {
      std::optional<Precision> accumulate;
      if (config.has("accumulate")) accumulate = precision("accumulate");
      return mac_component(table, name, precision("precision"), 1, accumulate, clock());
    }
    if (component_class == "adder") {
      return from_unit(name, "adder", "compute",
                       adder_cost(table, precision("precision"), clock()));
    }
    if (component_class == "multiplier") {
      return from_unit(name, "multiplier", "compute",
                       multiplier_cost(table, precision("precision"), clock()));
    }
    if (component_class == "crossbar") {
      return from_unit(
          name, "crossbar", "transfer",
          crossbar_cost(table, small("inputs", 65536), small("outputs", 65536), width(), clock()));
    }
    if (component_class == "wire") {
      return from_unit(name, "wire", "transfer",
                       wire_cost(table, width(), config.number("length_um", {0, 1e9})));
    }
    if (component_class == "saf") {
      return from_unit(name, "saf", "compute",
                       saf_cost(table, config.text("unit"), config.number("size", {1, 65536})));
    }
    const UnitCost cost = unit_cost(table, component_class, width(), clock());
    if (component_class != "register") return from_unit(name, component_class, "compute", cost);
    return from_memory(
        name, "register",
        {cost.energy, cost.energy, cost.idle, cost.area, cost.leakage_mw, 0, 0, cost.flags});
  }
};

ComponentEnergy by_class(const EnergyTable* table, const std::string& name,
                         const ConfigReader& config) {
  const std::string component_class = config.text("class");
  if (std::find(kComponentClasses.begin(), kComponentClasses.end(), component_class) ==
      kComponentClasses.end()) {
    config.fail("class", fmt::format("'{}' is not a component class", component_class),
                suggest(component_class, kComponentClasses));
  }
  if (table == nullptr) {
    config.fail("class", "a component given by class needs an energy table",
                "name one, or give the energies under 'actions'");
  }
  const Spec spec{*table, config, name, component_class};
  try {
    for (const auto* memory : {"dram", "sram", "memory", "register_file"}) {
      if (component_class == memory) return spec.memory();
    }
    return spec.logic();
  } catch (const InputError& error) {
    if (!error.place().text().empty()) throw;
    config.fail({}, error.what());
  }
}

ComponentEnergy as_given(const std::string& name, const ConfigReader& config) {
  ComponentEnergy component;
  component.name = name;
  component.component_class = "given";
  component.standing = "published";
  component.width_bits = static_cast<unsigned>(config.integer("width_bits", {0, 1 << 20}, 0));
  component.area = SquareMicrons(config.number("area_um2", {0, 1e12}, 0));
  const auto actions = config.mapping("actions");
  for (const auto& action : actions.keys()) {
    component.actions[action] = Picojoules(actions.number(action, {0, 1e12}));
  }
  if (component.actions.empty()) config.fail("actions", "a component needs at least one action");
  return component;
}

}  // namespace

Picojoules ComponentEnergy::energy(std::string_view action) const {
  const auto found = actions.find(std::string(action));
  if (found != actions.end()) return found->second;
  throw ModelError(fmt::format("component '{}' has no action '{}'; it has: {}", name, action,
                               join(action_names(*this))));
}

ComponentEnergy dram_component(const EnergyTable& table, std::string name, std::string_view kind,
                               unsigned width_bits, double gigabytes_per_s) {
  const Picojoules access = dram_energy_per_bit(table, kind) * static_cast<double>(width_bits);
  ComponentEnergy component;
  component.name = std::move(name);
  component.component_class = "dram";
  component.width_bits = width_bits;
  component.actions = {{"read", access}, {"write", access}, {"idle", Picojoules(0)}};
  component.standing = "published";
  component.source = fmt::format("DRAM {}", kind);
  if (gigabytes_per_s == 0) return component;
  const auto& channel = table.dram.at(std::string(kind)).channel;
  if (!channel || !std::isfinite(gigabytes_per_s)) {
    component.flags = {fmt::format("not priced: interface, background and refresh of {}",
                                   channel ? "an unbounded memory" : std::string(kind))};
    return component;
  }
  constexpr double kMostChannels = 1e9;
  component.count = static_cast<std::uint64_t>(
      std::clamp(std::ceil(gigabytes_per_s / channel->gigabytes_per_s - 1e-9), 1.0, kMostChannels));
  component.area = SquareMicrons(channel->interface_mm2 * 1e6);
  component.static_mw = channel->background_mw + channel->refresh_mw;
  component.source = fmt::format("DRAM {}, {} channels of {} GB/s for {:.4g} GB/s", kind,
                                 component.count, channel->gigabytes_per_s, gigabytes_per_s);
  component.standing = fmt::format("accesses published; channel {}", channel->standing);
  return component;
}

ComponentEnergy sram_component(const EnergyTable& table, std::string name, const SramShape& shape,
                               std::uint64_t count) {
  auto component = from_memory(std::move(name), "sram", sram_cost(table, shape));
  component.width_bits = shape.width_bits;
  component.count = count;
  component.source = fmt::format("SRAM {}", shape.text());
  if (shape.banks > 1) component.standing = "computed; share of banks inferred";
  return component;
}

ComponentEnergy memory_component(const EnergyTable& table, std::string name, std::uint64_t depth,
                                 unsigned width_bits, std::uint64_t count,
                                 std::optional<double> clock_ns) {
  auto component = from_memory(std::move(name), "memory",
                               memory_cost(table, depth, width_bits, 1, SramPorts::rw1, clock_ns));
  component.width_bits = width_bits;
  component.count = count;
  component.source = fmt::format("memory of {} x {} b", depth, width_bits);
  return component;
}

ComponentEnergy unit_component(std::string name, std::string component_class,
                               std::string_view action, const UnitCost& cost, std::string source,
                               std::uint64_t count) {
  auto component = from_unit(std::move(name), std::move(component_class), action, cost);
  component.source = std::move(source);
  component.count = count;
  return component;
}

ComponentEnergy mac_component(const EnergyTable& table, std::string name,
                              const Precision& precision, std::uint64_t count,
                              std::optional<Precision> accumulate, std::optional<double> clock_ns) {
  const UnitCost cost = mac_cost(table, precision, accumulate, false, clock_ns);
  const UnitCost reused = mac_cost(table, precision, accumulate, true, clock_ns);
  auto component = from_unit(std::move(name), "mac", "compute", cost);
  component.actions["reused"] = reused.energy;
  component.actions["gated"] = cost.idle;
  component.actions["skipped"] = Picojoules(0);
  component.width_bits = precision.bits;
  component.count = count;
  component.source = fmt::format("{} multiplier and {} adder{}", precision.name,
                                 accumulate.value_or(precision).name,
                                 clock_ns ? fmt::format(" at {:.3g} ns", *clock_ns) : "");
  return component;
}

ComponentEnergy read_component(const EnergyTable* table, std::string name,
                               const ConfigReader& config) {
  const auto count = config.integer("count", {1, 1e12}, 1);
  auto component = config.has("actions") ? as_given(name, config) : by_class(table, name, config);
  component.count = count;
  return component;
}

const ComponentEnergy* ComponentSet::find(std::string_view component) const {
  for (const auto& candidate : components) {
    if (candidate.name == component) return &candidate;
  }
  return nullptr;
}

const ComponentEnergy& ComponentSet::at(std::string_view component) const {
  if (const auto* found = find(component); found != nullptr) return *found;
  throw ModelError(fmt::format("no component '{}' in the energy set '{}'; it has: {}", component,
                               name, join(component_names(*this))));
}

SquareMicrons ComponentSet::area() const {
  SquareMicrons sum;
  for (const auto& component : components) {
    sum += component.area * static_cast<double>(component.count);
  }
  return sum;
}

std::vector<std::string> ComponentSet::flags() const {
  std::vector<std::string> all;
  for (const auto& component : components) {
    for (const auto& flag : component.flags) all.push_back(component.name + ": " + flag);
  }
  return all;
}

ComponentSet ComponentSet::read(const ConfigReader& config, const EnergyTable* table) {
  ComponentSet set;
  set.name = config.text("name");
  set.node_nm = static_cast<unsigned>(
      config.integer("node_nm", {1, 1000}, table == nullptr ? 45 : table->node_nm));
  const std::string standing = config.text("standing", "computed");
  (void)config.text("source", "");
  const auto components = config.mapping("components");
  for (const auto& name : components.keys()) {
    set.components.push_back(read_component(table, name, components.mapping(name)));
    if (set.components.back().component_class == "given") set.components.back().standing = standing;
  }
  if (set.components.empty()) config.fail("components", "expected at least one component");
  config.finish();
  return set;
}

ComponentSet ComponentSet::load(const std::filesystem::path& file, const EnergyTable* table) {
  return read(ConfigReader(ConfigTree::load(file)), table);
}

void require_actions(const ComponentSet& set, const NeededActions& needed) {
  std::vector<std::string> lacking;
  for (const auto& [name, actions] : needed) {
    const auto* component = set.find(name);
    if (component == nullptr) {
      lacking.push_back(fmt::format("component '{}'", name));
      continue;
    }
    std::vector<std::string> absent;
    for (const auto& action : actions) {
      if (!component->actions.contains(action)) absent.push_back(action);
    }
    if (!absent.empty()) {
      lacking.push_back(fmt::format("{} of '{}' (it has {})", join(absent), name,
                                    join(action_names(*component))));
    }
  }
  if (lacking.empty()) return;
  throw InputError(fmt::format("the energy set '{}' lacks what the machine counts: {}", set.name,
                               fmt::join(lacking, "; ")),
                   "its components: " + join(component_names(set)));
}

}  // namespace lacuna
