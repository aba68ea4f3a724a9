// SPDX-License-Identifier: Apache-2.0
// HighLight's synthetic sweep: a GEMM at sparsities of A and B on every machine of the class, each
// with A in the pattern that it exploits best at that density, all on one node and one buffer
// bandwidth. (Wu et al., MICRO'23, evaluate 1024 x 1024 x 1024; its own values per point are not
// published in text.)
#pragma once

#include <string>
#include <vector>

#include "run/result.hpp"

namespace lacuna {

struct SparsityPoint {
  std::string machine;
  unsigned a_sparsity = 0, b_sparsity = 0;  // percent
  std::string a_pattern, b_pattern;
  RunResult result;
  // Over those of `tc` at the same point; 0 when the machine cannot run it.
  double latency = 0, energy = 0, edp = 0;
};

struct SparsitySummary {
  std::string machine;
  unsigned points = 0;
  double edp_gain = 0;           // geometric mean of tc's energy-delay product over this machine's
  double edp_gain_sparse_a = 0;  // the same over the points with a sparse A
  double best_edp_gain = 0;
};

/// The published geometric mean of HighLight's EDP gain over earlier designs, "up to" (abstract).
inline constexpr double kPublishedEdpGain = 6.4;

[[nodiscard]] std::vector<std::string> sweep_machines();
[[nodiscard]] std::vector<SparsityPoint> sparsity_sweep(std::uint64_t edge = 1024,
                                                        std::uint64_t seed = 1);
[[nodiscard]] std::vector<SparsitySummary> summarize(const std::vector<SparsityPoint>& points);

/// One line for each machine and point, and the summary with the published figure beside it.
[[nodiscard]] std::string sweep_table(const std::vector<SparsityPoint>& points);

}  // namespace lacuna
