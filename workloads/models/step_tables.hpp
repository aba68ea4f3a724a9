// SPDX-License-Identifier: Apache-2.0
// Measured tables put to a model's step: zeros of activations (TEAL) and the lines that attention
// heads keep in prefill (MInference).
//
// A table is named by its file and what it needs, FILE#key=value...:
//   model=NAME     the model that it was taken from: the files name none. Without it, or when it is
//                  another model than the one that runs, a mapping is required.
//   map=layers:... which layer of the table stands for which of the model (routing::bind_table)
//   target=0.5     activation tables: the model-wide share that was aimed at
//   heads=mod      attention tables of fewer heads: head h keeps the lines of head h mod theirs
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "workloads/models/build_graph.hpp"

namespace lacuna {

template <class Value>
struct LayerTable {
  std::map<std::uint32_t, std::vector<Value>> of_layer;  // the layers that the step runs
  std::vector<std::string> notes;                        // what was assumed or mapped
  std::string file;
};

/// Zeros by projection (sparsity::Projection). Throws InputError: what the text lacks or
/// misspells, a table of thresholds (it says how large zeroed values are, not how many they are), a
/// target or layer that the table has not.
[[nodiscard]] std::shared_ptr<const LayerTable<double>> activation_zeros(const ModelSpec& spec,
                                                                         const Step& step,
                                                                         const std::string& text);
[[nodiscard]] ActivationZeros zeros_of(std::shared_ptr<const LayerTable<double>> table);

/// Lines by query head. Heads with equal counts share one draw of positions, from `seed`. Throws
/// InputError: as above; heads that differ in number; a step that is no prefill of all its keys,
/// absorbed MLA, an indexer.
[[nodiscard]] std::shared_ptr<const LayerTable<sparsity::HeadLines>> attention_lines(
    const ModelSpec& spec, const Step& step, const std::string& text, std::uint64_t seed);
[[nodiscard]] AttentionLines lines_of(std::shared_ptr<const LayerTable<sparsity::HeadLines>> table);

}  // namespace lacuna
