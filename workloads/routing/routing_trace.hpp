// SPDX-License-Identifier: Apache-2.0
// Which experts every token went to: the record of a real run. One block per (step, layer), each a
// structure of arrays, so that a block is what one MoE layer of one forward pass executes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "workloads/phase.hpp"

namespace lacuna::routing {

using ExpertId = std::uint16_t;
/// A missing sequence, position or step.
inline constexpr std::uint32_t kUnknown = 0xFFFFFFFF;
/// A slot without expert (a filler of the recorder, or a dropped assignment).
inline constexpr ExpertId kNoExpert = 0xFFFF;

/// Physical ids count the copies of replicated experts; they need the placement to be understood.
enum class IdSpace : std::uint8_t { kLogical, kPhysical };

/// What the recorded weights are. kUnspecified: there are weights, the format does not say which.
enum class WeightKind : std::uint8_t { kNone, kSoftmaxOverAll, kRenormalised, kUnspecified };

/// Whether layer numbers are the model's, or an array's first dimension that may leave dense layers
/// out (bind_trace() decides by its length).
enum class LayerNumbering : std::uint8_t { kModel, kArray };

struct TraceHeader {
  std::string model;  // empty: the file does not say
  std::uint32_t experts = 0;
  bool experts_stated = false;  // false: the largest id seen plus one
  std::uint32_t top_k = 0;
  std::vector<std::uint32_t> layers;  // ascending
  LayerNumbering numbering = LayerNumbering::kModel;
  IdSpace id_space = IdSpace::kLogical;
  WeightKind weights = WeightKind::kNone;
  bool phase_known = false;
  bool steps_known = false;
  bool sequences_known = false;
  std::string source;  // the file
  std::string format;  // which reader took it
  std::uint64_t rows_read = 0;
  std::uint64_t rows_dropped = 0;
  std::vector<std::string> notes;  // what was dropped or assumed, one sentence each
};

/// One MoE layer in one step. `ids` is [tokens][top_k], ordered by descending weight where the
/// source is. The other arrays are empty when unknown, else one entry per token (weights: per id).
struct RoutingBlock {
  std::uint32_t step = 0;
  std::uint32_t layer = 0;
  std::optional<Phase> phase;
  std::vector<ExpertId> ids;
  std::vector<float> weights;
  std::vector<std::uint32_t> sequence;
  std::vector<std::uint32_t> position;
  std::vector<std::uint32_t> origin_rank;  // the rank a token came from, where recorded
};

struct RoutingTrace {
  TraceHeader header;
  std::vector<RoutingBlock> blocks;  // ascending (step, layer)

  /// The block of a step and layer, or nullptr.
  [[nodiscard]] const RoutingBlock* find(std::uint32_t step, std::uint32_t layer) const;
  [[nodiscard]] std::size_t tokens(const RoutingBlock& block) const {
    return block.ids.size() / header.top_k;
  }
  [[nodiscard]] std::span<const ExpertId> ids_of(const RoutingBlock& block,
                                                 std::size_t token) const {
    return std::span(block.ids).subspan(token * header.top_k, header.top_k);
  }
  /// Step numbers, ascending.
  [[nodiscard]] std::vector<std::uint32_t> steps() const;
  /// Tokens of a layer over all steps.
  [[nodiscard]] std::uint64_t layer_tokens(std::uint32_t layer) const;
  /// Assignments per expert of a layer over all steps; [experts].
  [[nodiscard]] std::vector<std::uint64_t> layer_loads(std::uint32_t layer) const;
};

/// Assignments per expert; kNoExpert is not counted. Every other id must be below `experts`.
[[nodiscard]] std::vector<std::uint32_t> tokens_per_expert(std::span<const ExpertId> ids,
                                                           std::uint32_t experts);

/// "0-3, 7, 9-12", for messages.
[[nodiscard]] std::string ranges_text(std::span<const std::uint32_t> ascending);

}  // namespace lacuna::routing
