// SPDX-License-Identifier: Apache-2.0
// How a machine lays out the rows of routed experts (workloads/routing/execution_layouts.hpp), put
// to the operations of a step.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "workloads/models/model_spec.hpp"
#include "workloads/operation_graph.hpp"

namespace lacuna {

struct ExpertLayout {
  enum class Kind { kGrouped, kCapacity, kBlockSparse } kind = Kind::kGrouped;
  std::uint64_t block = 1;  // grouped: rows are aligned to it; block-sparse: the block's edge
  double factor = 1;        // capacity, as MegaBlocks rounds it: int(factor k B / E)
};

/// "grouped", "grouped:128" (rows aligned), "capacity:1.25", "block-sparse:128" (the block is 128
/// when it is left out). Throws InputError (field "layout").
[[nodiscard]] ExpertLayout parse_layout(const std::string& text);

/// Gives every product of routed experts the rows that it executes under the layout: padding
/// included, dropped tokens gone. Einsum::macs stay those of useful rows, so that executed over
/// exact multiply-adds is the cost of padding. Padded rows are executed as values, not as known
/// zeros. Experts that execute padding alone are read as well. Metadata: one int32 offset per
/// expert and one more (grouped, capacity), or the block topology with its transpose; dispatch
/// writes it, every product reads the topology with its rows. Returns what the result should say.
/// Throws InputError for a step without routed experts, a capacity of no rows and a block that the
/// experts' width does not take.
[[nodiscard]] std::vector<std::string> apply_layout(OperationGraph& graph, const ModelSpec& model,
                                                    const ExpertLayout& layout);

}  // namespace lacuna
