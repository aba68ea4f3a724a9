// SPDX-License-Identifier: Apache-2.0
#include "app/map_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/quantity_text.hpp"
#include "study/mapping/text.hpp"

namespace lacuna {
namespace {

using Json = nlohmann::ordered_json;

std::string value_text(double value, MapObjective objective) {
  switch (objective) {
    case MapObjective::cycles:
      return grouped(static_cast<std::uint64_t>(value));
    case MapObjective::traffic:
      return human_bytes(value);
    default:
      return fmt::format("{:.4g}", value);
  }
}

std::string unit_of(MapObjective objective) {
  switch (objective) {
    case MapObjective::energy:
      return "energy (J)";
    case MapObjective::edp:
      return "energy x delay (J s)";
    default:
      return std::string(to_text(objective));
  }
}

Json json_of(const RankedMapping& one, const FabricShape& shape, MapObjective objective) {
  Json out;
  for (const auto& [key, value] : to_config(as_given(one.mapping, shape)).children) {
    out["mapping"][key] = value.scalar;
  }
  out["estimated_cycles"] = one.mapping.estimate.cycles;
  out["estimated_dram_bytes"] = one.mapping.bytes;
  out["a_buffer_bytes"] = one.mapping.a_need;
  out["b_buffer_bytes"] = one.mapping.b_need;
  out["mappers_choice"] = one.is_mappers;
  if (one.run) {
    out["cycles"] = one.run->statistics.cycles.count();
    out["energy_pj"] = one.run->energy.total_picojoules;
    out[std::string(to_text(objective))] = *one.value;
  }
  return out;
}

Json json_of(const FabricSpec& machine, const MapSearch& search, MapObjective objective,
             std::uint64_t top) {
  Json out;
  out["considered"] = search.considered;
  out["fit"] = search.ranked.size();
  out["seconds"] = search.seconds;
  out["loops"] = loop_nest(machine, search.ranked.front().mapping, search.shape);
  out["bounded_by"] = what_bounds(machine, search, search.ranked.front().mapping);
  for (std::size_t i = 0; i < std::min<std::size_t>(top, search.ranked.size()); ++i) {
    out["mappings"].push_back(json_of(search.ranked[i], search.shape, objective));
  }
  return out;
}

Json head_of(const FabricSpec& machine, MapObjective objective) {
  Json out;
  out["machine"] = machine.name;
  out["objective"] = to_text(objective);
  return out;
}

/// What a run takes by itself.
const RankedMapping* mappers_choice(const MapSearch& search) {
  for (const RankedMapping& one : search.ranked) {
    if (one.is_mappers && one.value) return &one;
  }
  return nullptr;
}

/// All that are alike, or the first and how many more.
std::string names_text(const MappedOperation& operation) {
  constexpr std::size_t kColumn = 28;
  const std::string all = fmt::format("{}", fmt::join(operation.names, ", "));
  if (all.size() <= kColumn) return all;
  return fmt::format("{} and {} more", operation.names.front(), operation.names.size() - 1);
}

std::string product_text(const MappedOperation& operation) {
  const FabricShape& s = operation.search.shape;
  std::string out = fmt::format("{}x{}x{}", s.m, s.n, s.k);
  if (operation.shapes > 1) out += fmt::format(" +{}", operation.shapes - 1);
  return out;
}

}  // namespace

std::string map_text(const FabricSpec& machine, const MapSearch& search, MapObjective objective,
                     std::uint64_t top) {
  const RankedMapping& best = search.ranked.front();
  std::string out = fmt::format(
      "{} mappings considered in {:.3g} s, {} fit {}'s buffer\n\n{}\n{}\n\n",
      grouped(search.considered), search.seconds, grouped(search.ranked.size()), machine.name,
      loop_nest(machine, best.mapping, search.shape), what_bounds(machine, search, best.mapping));
  out += fmt::format("{:>18} {:>18} {:>14}  mapping\n", unit_of(objective), "estimated cycles",
                     "from DRAM");
  for (std::size_t i = 0; i < std::min<std::size_t>(top, search.ranked.size()); ++i) {
    const RankedMapping& one = search.ranked[i];
    out += fmt::format("{:>18} {:>18} {:>14}  {}{}\n",
                       one.value ? value_text(*one.value, objective) : std::string("not simulated"),
                       grouped(static_cast<std::uint64_t>(one.mapping.estimate.cycles)),
                       human_bytes(one.mapping.bytes), in_short(one.mapping),
                       one.is_mappers ? " (what a run takes)" : "");
  }
  return out;
}

std::string map_json(const FabricSpec& machine, const MapSearch& search, MapObjective objective,
                     std::uint64_t top) {
  Json out = head_of(machine, objective);
  out.update(json_of(machine, search, objective, top));
  return out.dump(2) + '\n';
}

std::string map_text(const std::vector<MappedOperation>& operations, MapObjective objective) {
  std::string out = fmt::format("{:<28} {:>22} {:>10} {:>16} {:>16}  best mapping\n", "operation",
                                "product", "considered", "best", "a run takes");
  for (const MappedOperation& operation : operations) {
    const RankedMapping& best = operation.search.ranked.front();
    const RankedMapping* const taken = mappers_choice(operation.search);
    out += fmt::format("{:<28} {:>22} {:>10} {:>16} {:>16}  {}\n", names_text(operation),
                       product_text(operation), grouped(operation.search.considered),
                       best.value ? value_text(*best.value, objective) : std::string("-"),
                       taken != nullptr ? value_text(*taken->value, objective) : std::string("-"),
                       in_short(best.mapping));
  }
  out +=
      fmt::format("{}; +3: three more shapes, which keep a run's mappings\n", unit_of(objective));
  return out;
}

std::string map_json(const FabricSpec& machine, const std::vector<MappedOperation>& operations,
                     MapObjective objective, std::uint64_t top) {
  Json out = head_of(machine, objective);
  for (const MappedOperation& operation : operations) {
    Json one;
    one["operations"] = operation.names;
    one["product"] = product_text(operation);
    one["shapes"] = operation.shapes;
    one.update(json_of(machine, operation.search, objective, top));
    out["operations"].push_back(std::move(one));
  }
  return out.dump(2) + '\n';
}

}  // namespace lacuna
