// SPDX-License-Identifier: Apache-2.0
// What an operation does in its model. Placement, sparsity and rewrites go by it; names and labels
// are for people, and rewording them changes no number.
#pragma once

#include <cstdint>
#include <string_view>

namespace lacuna {

/// What reports add up: a part of a layer, or of what stands around the layers.
enum class Part : std::uint8_t {
  kEmbedding,
  kAttentionProjections,  // weights meet tokens
  kAttentionCore,         // queries meet keys and values
  kSparseIndex,           // the choice of keys
  kDenseFfn,
  kRouter,
  kExchange,  // tokens on their way to the experts and back
  kRoutedExperts,
  kSharedExperts,
  kHead,
};

/// One for each operation. Products by what they compute; the rest of a part (norms, activations,
/// sums) is its `...Vector`, and OperationKind tells them apart.
enum class Role : std::uint8_t {
  kUnset,  // no builder leaves it
  kEmbedding,

  kQuery,
  kKey,
  kValue,
  kOutput,
  kQueryDown,    // to the query's latent
  kQueryUp,      // from it
  kLatentDown,   // to the latent of keys and values, with the RoPE key
  kLatentUp,     // from it, where MLA runs naively
  kLatentKeys,   // key and value rows put together from both
  kQueryAbsorb,  // the query into the latent's space, where MLA runs absorbed
  kValueUp,      // the context out of it
  kAttentionVector,

  kScores,
  kSoftmax,
  kValues,  // probabilities times values

  kIndexProjection,
  kIndexScores,
  kIndexVector,

  kDenseGate,
  kDenseUp,
  kDenseDown,
  kDenseVector,

  kRouterLogits,
  kRouterVector,

  kDispatch,
  kCombine,
  kExpertSum,  // what the experts add to the residual stream

  kExpertGate,
  kExpertUp,
  kExpertDown,
  kExpertVector,

  kSharedGate,
  kSharedUp,
  kSharedDown,
  kSharedScore,  // how much of the shared experts a token takes
  kSharedVector,

  kHead,
  kHeadVector,
};

/// Throws ModelError for kUnset.
[[nodiscard]] Part part_of(Role role);
/// "attention core", "routed experts", ...: what tables call it.
[[nodiscard]] std::string_view label_of(Part part);

}  // namespace lacuna
