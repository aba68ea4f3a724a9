// SPDX-License-Identifier: Apache-2.0
// What each of the three ideas of `lacuna` contributes: every combination of its switches over
// operands that are dense, structured, unstructured and skewed, given or generated.
#pragma once

#include <string>
#include <vector>

#include "run/fabric/run.hpp"

namespace lacuna {

struct AblationPoint {
  std::string operands;
  bool hss = true, tailors = true, swiftiles = true;
  RunResult result;
  double dram_bytes = 0;
  // Over those with all three switched off.
  double cycles_ratio = 0, traffic_ratio = 0, energy_ratio = 0;
};

/// The operands that need no file: the sweep's patterns, and tiles of B that are few and full.
[[nodiscard]] std::vector<FabricWorkload> ablation_workloads(std::uint64_t seed = 1);
/// Z = A x A of the square matrices of a folder and those below with at most `most_rows` rows.
[[nodiscard]] std::vector<FabricWorkload> ablation_matrices(const std::string& folder,
                                                            std::uint64_t most_rows = 7000);

/// Pruned layers (SMTX): those of one folder, at or below `folder`, are one operation against 1,024
/// columns of a B with half of its elements zero, once as stored and once re-pruned to HSS.
[[nodiscard]] std::vector<FabricWorkload> ablation_layers(const std::string& folder);

/// Eight points for each workload. The workloads are run in order and released.
[[nodiscard]] std::vector<AblationPoint> ablation(std::vector<FabricWorkload> workloads);

[[nodiscard]] std::string ablation_table(const std::vector<AblationPoint>& points);
[[nodiscard]] std::string ablation_csv(const std::vector<AblationPoint>& points);

}  // namespace lacuna
