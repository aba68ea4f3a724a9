// SPDX-License-Identifier: Apache-2.0
// Synthetic routing. Every generator is a function of its stream, so results do not depend on what
// else is drawn; token ids come out as [tokens][top_k], distinct within a token.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/random.hpp"
#include "workloads/routing/routing_trace.hpp"

namespace lacuna::routing {

struct RoutingShape {
  std::uint32_t tokens = 0;
  std::uint32_t experts = 0;
  std::uint32_t top_k = 0;
};

/// Throws InputError unless 1 <= top_k <= experts < kNoExpert.
void check_shape(const RoutingShape& shape);

/// k distinct experts, uniformly, for each token independently.
[[nodiscard]] std::vector<ExpertId> uniform_routing(const RoutingShape& shape,
                                                    RandomStream& random);

/// Loads as even as integers allow (the first kB mod E experts get one more).
[[nodiscard]] std::vector<std::uint32_t> balanced_loads(const RoutingShape& shape);

/// Bounded power law of ai-dynamo/aiconfigurator (docs/POWER_LAW_DISTRIBUTION.md and
/// collector/helper.py at 095f58a5): per expert u in [0, 1) and
///   x = [(x_max^(1-a) - x_min^(1-a)) u + x_min^(1-a)]^(1/(1-a)),
/// (x_min, x_max) = (1, 0.8 B) if kB > E else (0.01, 2); scaled to a sum of kB, rounded, clamped to
/// B; the excess handed out one token at a time to the smallest (largest) expert below (above) its
/// bound, `ranks` contiguous groups of experts in turn. alpha 0 is balanced, alpha 1 the
/// logarithmic limit. Published fits: 1.01 DeepSeek-V3/R1, 1.2 Qwen3-235B.
[[nodiscard]] std::vector<std::uint32_t> power_law_loads(const RoutingShape& shape, double alpha,
                                                         std::uint32_t ranks, RandomStream& random);

/// Loads (sum kB, each at most B) to token ids: each expert's id as often as its load, in order,
/// read as k rows of B and transposed, so no token repeats an expert. That order gives neighbours
/// nearly the same experts, so the tokens are shuffled (and the k slots of each).
[[nodiscard]] std::vector<ExpertId> assign_loads(const RoutingShape& shape,
                                                 std::span<const std::uint32_t> loads,
                                                 RandomStream& random);

/// Draws k distinct experts per token with inclusion probability exactly k c_e / sum(c): systematic
/// sampling (Madow 1949) over a fresh random order for each token. Where k c_e > sum(c), which no
/// counts of real tokens have, throws InputError. Tokens are independent: what counts cannot say.
[[nodiscard]] std::vector<ExpertId> sample_counts(const RoutingShape& shape,
                                                  std::span<const std::uint64_t> counts,
                                                  RandomStream& random);

/// Tokens in sequences: token i of the step belongs to sequence i / (tokens / sequences) and stands
/// at position first_position + i mod (tokens / sequences).
struct SequenceLayout {
  std::uint32_t sequences = 1;
  std::uint64_t first_position = 0;
};

/// Each token repeats the whole expert set of the token before it in its sequence with probability
/// `repeat`, else draws k distinct experts uniformly. The choice at (sequence, position) is a
/// function of the key alone, so decode steps continue what prefill began, in any order of calls.
[[nodiscard]] std::vector<ExpertId> correlated_routing(const RoutingShape& shape, double repeat,
                                                       const SequenceLayout& layout,
                                                       std::uint64_t key);

}  // namespace lacuna::routing
