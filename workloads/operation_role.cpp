// SPDX-License-Identifier: Apache-2.0
#include "workloads/operation_role.hpp"

#include "base/error.hpp"

namespace lacuna {

Part part_of(Role role) {
  switch (role) {
    case Role::kUnset:
      break;
    case Role::kEmbedding:
      return Part::kEmbedding;
    case Role::kQuery:
    case Role::kKey:
    case Role::kValue:
    case Role::kOutput:
    case Role::kQueryDown:
    case Role::kQueryUp:
    case Role::kLatentDown:
    case Role::kLatentUp:
    case Role::kLatentKeys:
    case Role::kQueryAbsorb:
    case Role::kValueUp:
    case Role::kAttentionVector:
      return Part::kAttentionProjections;
    case Role::kScores:
    case Role::kSoftmax:
    case Role::kValues:
      return Part::kAttentionCore;
    case Role::kIndexProjection:
    case Role::kIndexScores:
    case Role::kIndexVector:
      return Part::kSparseIndex;
    case Role::kDenseGate:
    case Role::kDenseUp:
    case Role::kDenseDown:
    case Role::kDenseVector:
      return Part::kDenseFfn;
    case Role::kRouterLogits:
    case Role::kRouterVector:
      return Part::kRouter;
    case Role::kDispatch:
    case Role::kCombine:
    case Role::kExpertSum:
      return Part::kExchange;
    case Role::kExpertGate:
    case Role::kExpertUp:
    case Role::kExpertDown:
    case Role::kExpertVector:
      return Part::kRoutedExperts;
    case Role::kSharedGate:
    case Role::kSharedUp:
    case Role::kSharedDown:
    case Role::kSharedScore:
    case Role::kSharedVector:
      return Part::kSharedExperts;
    case Role::kHead:
    case Role::kHeadVector:
      return Part::kHead;
  }
  throw ModelError("an operation without a role");
}

std::string_view label_of(Part part) {
  switch (part) {
    case Part::kEmbedding:
      return "embedding";
    case Part::kAttentionProjections:
      return "attention projections";
    case Part::kAttentionCore:
      return "attention core";
    case Part::kSparseIndex:
      return "sparse index";
    case Part::kDenseFfn:
      return "dense FFN";
    case Part::kRouter:
      return "router";
    case Part::kExchange:
      return "dispatch and combine";
    case Part::kRoutedExperts:
      return "routed experts";
    case Part::kSharedExperts:
      return "shared experts";
    case Part::kHead:
      return "head";
  }
  throw ModelError("a part without a label");
}

}  // namespace lacuna
