// SPDX-License-Identifier: Apache-2.0
// Arrays of ids [tokens, layers, k] (engines' replies, per-request dumps) or of counts
// [steps, layers, E] (MoE-Infinity, EPLB). The array itself does not say which.
#include "base/error.hpp"
#include "workloads/routing/readers.hpp"

namespace lacuna::routing {

LoadedRouting read_array(const std::string& file, const std::string&, const LoadOptions&) {
  throw InputError(Place{file, 0, ""}, "arrays: to be joined with the container reader");
}

}  // namespace lacuna::routing
