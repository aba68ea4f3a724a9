// SPDX-License-Identifier: Apache-2.0
// One layer of MLA over its query tokens, naive and absorbed, where all of a long context is
// expanded again; and one query of dense and of sparse attention (DSA) over the context.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "arch/spec/fabric_spec.hpp"

namespace lacuna {

/// What attention costs beside the projections that every form shares.
struct AttentionCost {
  double flops = 0, cache_bytes = 0, cycles = 0, picojoules = 0;
};

/// One comparison: both forms at the same queries and keys.
struct AttentionPair {
  std::uint64_t queries = 1, context = 0;  // tokens, keys
  AttentionCost first, second;
};

struct AttentionForms {
  static constexpr std::uint64_t kContext = 131072;  // keys of by_queries
  std::vector<AttentionPair> by_queries;  // absorbed, naive, with what expands the latent cache
  std::vector<AttentionPair> by_context;  // dense with a bf16 cache, DSA with an fp8 one
  /// Query tokens at which absorbed stops to be the cheaper; nothing: at no point of the sweep.
  std::optional<double> flops_cross, cycles_cross;
};

/// DeepSeek-V3 and V3.2 on the machine.
[[nodiscard]] AttentionForms attention_forms(const FabricSpec& machine);

}  // namespace lacuna
