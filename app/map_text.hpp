// SPDX-License-Identifier: Apache-2.0
// What `lacuna map` prints.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "study/mapping/operations.hpp"
#include "study/mapping/search.hpp"

namespace lacuna {

/// The best as a loop nest, and a table of the first so many.
[[nodiscard]] std::string map_text(const FabricSpec& machine, const MapSearch& search,
                                   MapObjective objective, std::uint64_t top);
[[nodiscard]] std::string map_json(const FabricSpec& machine, const MapSearch& search,
                                   MapObjective objective, std::uint64_t top);

/// A line for each operation.
[[nodiscard]] std::string map_text(const std::vector<MappedOperation>& operations,
                                   MapObjective objective);
[[nodiscard]] std::string map_json(const FabricSpec& machine,
                                   const std::vector<MappedOperation>& operations,
                                   MapObjective objective, std::uint64_t top);

}  // namespace lacuna
