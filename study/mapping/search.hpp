// SPDX-License-Identifier: Apache-2.0
// The mappings of one product on a machine of arrays: what the mapper looks at, ranked by an
// objective, the best of them simulated.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dataflows/fabric_compile.hpp"
#include "run/fabric/run.hpp"

namespace lacuna {

enum class MapObjective { cycles, traffic, energy, edp };

/// "cycles", "traffic" (bytes from and to memory), "energy", "edp" (energy times delay). Throws
/// InputError for another name.
[[nodiscard]] MapObjective parse_map_objective(const std::string& name);
[[nodiscard]] std::string_view to_text(MapObjective objective);

struct MapRequest {
  MapObjective objective = MapObjective::cycles;
  std::uint64_t simulate = 5;  // the best by estimate, at least one
  /// What every candidate must be; what is zero or free may be any. Its product is the workload's.
  std::optional<FabricMappingChoice> constraints;
  std::size_t product = 0;  // of a workload of several: the others keep a run's mappings
};

/// A candidate that fits.
struct RankedMapping {
  FabricMapping mapping;
  double estimate = 0;           // of the objective: cycles, bytes, weighted bytes, their product
  std::optional<RunResult> run;  // of those that were simulated
  std::optional<double> value;   // of the objective, in the run: cycles, bytes, J, J s
  bool is_mappers = false;       // what a run takes by itself
};

struct MapSearch {
  std::string unsupported;  // why the machine cannot run the product; all else is then empty
  FabricShape shape;
  double room = 0;  // bytes of the buffer
  std::uint64_t considered = 0;
  double seconds = 0;                  // to look at them, tables of occupancies included
  std::vector<RankedMapping> ranked;   // simulated ones first, best first; then by estimate
  std::vector<FabricMapping> misfits;  // what the buffer cannot hold
};

/// Constraints from settings of a mapping's keys ("outer=B", "tile_columns=64"); nothing without
/// any. Throws InputError for keys that a mapping does not have and for what the machine cannot
/// hold.
[[nodiscard]] std::optional<FabricMappingChoice> parse_map_constraints(
    const FabricSpec& machine, const std::vector<std::string>& settings);

/// Throws InputError as a run does, and for a machine with clusters.
[[nodiscard]] MapSearch search_mappings(const FabricSpec& machine, const FabricWorkload& workload,
                                        const MapRequest& request);

}  // namespace lacuna
