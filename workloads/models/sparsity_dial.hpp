// SPDX-License-Identifier: Apache-2.0
// The sparsity dial: models of one training compute that differ in how many experts they have, by
// the scaling law of "Parameters vs FLOPs" (scaling_law.hpp). As in the law's iso-FLOP sweep every
// parameter is taken to be an expert's: always-active ones and attention cores are left out.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "workloads/models/scaling_law.hpp"

namespace lacuna {

struct DialOptions {
  double training_flops = 1e20;        // C = 6 N_a D
  std::optional<double> active_flops;  // per token, 2 N_a: the active size is held at it then
  std::vector<double> shares{0, 0.5, 0.75, 0.9, 0.95, 0.98};
  std::uint64_t experts_per_token = 8;  // k
  std::uint64_t batch = 64;             // tokens of a decode step
  std::uint32_t weight_bits = 16;
  ScalingLaw law;
};

struct DialPoint {
  double asked_share = 0;  // as given
  double share = 0;        // S = (E - k) / E of a whole number of experts
  std::uint64_t experts = 0;
  double loss = 0;
  double parameters = 0;         // N, in total
  double active_parameters = 0;  // N_a = (1 - S) N
  double training_tokens = 0;    // D
  double flops_per_token = 0;    // 2 N_a, of a forward pass
  double weight_bytes = 0;       // of all parameters
  double distinct_experts = 0;   // E (1 - (1 - k/E)^B): uniform independent routing
  double touched_bytes = 0;      // their weights, read once per decode step
};

/// One point per share, E being the whole number nearest to k / (1 - S); the total size is the one
/// with the least loss, or N_a / (1 - S) when the active size is held. Throws InputError (fields
/// "compute", "shares", "top-k", "batch", "flops-per-token", "weight-bits") for what makes no sense
/// or lies where the law has no optimum within 10^6 to 10^15 parameters.
[[nodiscard]] std::vector<DialPoint> sparsity_dial(const DialOptions& options);

}  // namespace lacuna
