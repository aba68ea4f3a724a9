// SPDX-License-Identifier: Apache-2.0
// The mappings of every product of a step of a model, or of a network's layers, on a machine of
// arrays.
#pragma once

#include <string>
#include <vector>

#include "run/model/run.hpp"
#include "run/network/run.hpp"
#include "study/mapping/search.hpp"

namespace lacuna {

/// Products that a run makes as one; those that are alike are one.
struct MappedOperation {
  std::vector<std::string> names;  // of the operations that are alike
  std::uint64_t shapes = 1;        // of its products; the search is of the one with most outputs
  MapSearch search;                // its runs are of the whole operation
};

/// In the order of the run. Throws InputError for a machine with clusters, and why the machine
/// cannot run one of them.
[[nodiscard]] std::vector<MappedOperation> map_operations(const FabricSpec& machine,
                                                          const ModelWorkload& workload,
                                                          const MapRequest& request);
[[nodiscard]] std::vector<MappedOperation> map_operations(const FabricSpec& machine,
                                                          const NetworkWorkload& workload,
                                                          const MapRequest& request);

}  // namespace lacuna
