// SPDX-License-Identifier: Apache-2.0
#include "study/mapping/search.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <set>
#include <tuple>
#include <utility>

#include "arch/description/array_machine.hpp"
#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/message_text.hpp"
#include "run/fabric/result.hpp"
#include "run/machine_prices.hpp"

namespace lacuna {
namespace {

constexpr std::array<std::pair<std::string_view, MapObjective>, 4> kObjectives{
    {{"cycles", MapObjective::cycles},
     {"traffic", MapObjective::traffic},
     {"energy", MapObjective::energy},
     {"edp", MapObjective::edp}}};

/// Energy is not estimated: bytes moved stand for it, one through the buffer's port at its weight
/// (fabric_mapping.hpp).
double estimate_of(const FabricMapping& mapping, MapObjective objective) {
  switch (objective) {
    case MapObjective::traffic:
      return mapping.bytes;
    case MapObjective::energy:
      return mapping.moved;
    case MapObjective::edp:
      return mapping.moved * mapping.estimate.cycles;
    default:
      return mapping.estimate.cycles;
  }
}

double memory_bytes(const RunResult& result) {
  double bytes = 0;
  for (const auto& [tensor, moved] : result.statistics.traffic.at("dram")) {
    bytes += static_cast<double>(moved.read_bytes + moved.write_bytes);
  }
  return bytes;
}

double value_of(const RunResult& result, MapObjective objective) {
  const auto cycles = static_cast<double>(result.statistics.cycles.count());
  const double joules = result.energy.total_picojoules * 1e-12;
  switch (objective) {
    case MapObjective::traffic:
      return memory_bytes(result);
    case MapObjective::energy:
      return joules;
    case MapObjective::edp:
      return joules * cycles / result.clock.count();
    default:
      return cycles;
  }
}

bool same(const FabricMapping& x, const FabricMapping& y) {
  const auto key = [](const FabricMapping& m) {
    return std::tuple(m.array_rows, m.array_columns, m.a_outer, m.a_whole, m.b_resident,
                      m.a_outer ? m.tile_rows : 0, m.b_resident ? m.tile_columns : 0, m.b_room,
                      m.a_room, m.passing);
  };
  return key(x) == key(y);
}

/// What a mapping makes of the loops: outputs of an array, the outer operand, its tile, the bytes.
using Cut = std::tuple<std::uint64_t, std::uint64_t, int, std::uint64_t, double>;

Cut cut_of(const FabricMapping& m) {
  const int outer = m.a_outer ? 0 : m.b_resident ? 1 : 2;
  const std::uint64_t tile = m.a_outer ? m.tile_rows : m.b_resident ? m.tile_columns : 0;
  return {m.array_rows, m.array_columns, outer, tile, std::round(m.bytes)};
}

class MappingSearch {
 public:
  MappingSearch(const FabricSpec& machine, const FabricWorkload& workload,
                const MapRequest& request)
      : machine_(machine), workload_(workload), request_(request) {}

  MapSearch search() {
    MapSearch out;
    list(out);
    if (!out.unsupported.empty()) return out;
    simulate(out);
    return out;
  }

 private:
  void list(MapSearch& out) {
    const auto start = std::chrono::steady_clock::now();
    const FabricInstance& product = workload_.instances[request_.product];
    const GemmOperands& operands = *product.operands;
    FabricSpec constrained = machine_;
    constrained.mappings.clear();  // those of the machine's file are not the mapper's
    if (request_.constraints) {
      FabricMappingChoice& one = constrained.mappings.emplace_back(*request_.constraints);
      one.m = operands.m();
      one.n = operands.n();
      one.k = operands.k();
    }
    const ConsideredMappings found = considered_mappings(constrained, product);
    out.unsupported = found.unsupported;
    if (!out.unsupported.empty()) return;
    out.shape = found.shape;
    out.room = found.room;
    out.considered = found.all.size();
    for (const FabricMapping& mapping : found.all) {
      if (!mapping.fits) {
        out.misfits.push_back(mapping);
        continue;
      }
      RankedMapping& one = out.ranked.emplace_back();
      one.mapping = for_product(mapping, found.shape);
      one.estimate = estimate_of(mapping, request_.objective);
      one.is_mappers = same(one.mapping, found.chosen);
    }
    std::stable_sort(out.ranked.begin(), out.ranked.end(), [](const auto& x, const auto& y) {
      return std::tuple(x.estimate, x.mapping.moved) < std::tuple(y.estimate, y.mapping.moved);
    });
    out.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }

  /// The best by estimate that differ in more than the room they are given, and what a run would
  /// take by itself.
  void simulate(MapSearch& out) const {
    const ComponentSet components = priced_machine(machine_);
    FabricOptions options;
    options.components = &components;
    std::set<Cut> seen;
    for (RankedMapping& one : out.ranked) {
      const bool is_new =
          seen.size() < request_.simulate && seen.insert(cut_of(one.mapping)).second;
      if (!is_new && !one.is_mappers) continue;
      stop_if_requested();
      FabricSpec pinned = machine_;
      pinned.mappings = {as_given(one.mapping, out.shape)};
      one.run = run_fabric(pinned, workload_, options);
      one.value = value_of(*one.run, request_.objective);
    }
    std::stable_sort(out.ranked.begin(), out.ranked.end(), [](const auto& x, const auto& y) {
      if (x.value.has_value() != y.value.has_value()) return x.value.has_value();
      return x.value && *x.value < *y.value;
    });
  }

  const FabricSpec& machine_;
  const FabricWorkload& workload_;
  const MapRequest& request_;
};

}  // namespace

MapObjective parse_map_objective(const std::string& name) {
  std::vector<std::string> known;
  for (const auto& [text, objective] : kObjectives) {
    if (text == name) return objective;
    known.emplace_back(text);
  }
  throw InputError(fmt::format("--objective {}: no such objective", shortened(name)),
                   suggest(name, known));
}

std::string_view to_text(MapObjective objective) {
  for (const auto& [text, known] : kObjectives) {
    if (known == objective) return text;
  }
  return "?";
}

std::optional<FabricMappingChoice> parse_map_constraints(const FabricSpec& machine,
                                                         const std::vector<std::string>& settings) {
  if (settings.empty()) return std::nullopt;
  ConfigTree tree;
  for (const char* edge : {"m", "n", "k"}) tree.put(edge, "1");  // the workload's, later
  for (const std::string& setting : settings) tree.set(setting);
  const ConfigReader reader(tree);
  const FabricMappingChoice choice = description::read_mapping(reader, machine);
  reader.finish();
  return choice;
}

MapSearch search_mappings(const FabricSpec& machine, const FabricWorkload& workload,
                          const MapRequest& request) {
  if (machine.shared) {
    throw InputError(fmt::format("{} has clusters, whose mappings are not listed", machine.name),
                     "take the machine of one cluster");
  }
  return MappingSearch(machine, workload, request).search();
}

}  // namespace lacuna
