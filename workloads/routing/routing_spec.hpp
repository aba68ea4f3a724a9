// SPDX-License-Identifier: Apache-2.0
// The text that names a routing, taken apart.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "workloads/routing/load_routing.hpp"

namespace lacuna::routing {

struct RoutingSpec {
  enum class Kind {
    kUniform,
    kBalanced,
    kPowerLaw,
    kCorrelated,
    kCounts,
    kTrace
  } kind = Kind::kUniform;
  double parameter = 0;     // alpha or repeat probability
  std::uint32_t ranks = 1;  // power law
  std::string file;
  LoadOptions load;
  std::optional<std::string> domain;  // which set of a count file
  std::optional<std::uint32_t> top_k;
  std::string mapping;
};

/// See open_routing(). Throws InputError.
[[nodiscard]] RoutingSpec parse_routing_spec(const std::string& text);

/// A trace is one set: refuses items that choose between the sets of a count file.
void refuse_choice_of_set(const RoutingSpec& spec);

/// Throws the InputError of a routing that cannot be.
[[noreturn]] void bad_routing(const std::string& problem, const std::string& suggestion);

}  // namespace lacuna::routing
