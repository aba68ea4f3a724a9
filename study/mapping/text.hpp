// SPDX-License-Identifier: Apache-2.0
// Mappings in words: as a loop nest, with what bounds them, as a machine's file gives them back.
#pragma once

#include <string>

#include "study/mapping/search.hpp"

namespace lacuna {

/// The loops, outermost first, a line each, with what stays in the buffer beside them.
[[nodiscard]] std::string loop_nest(const FabricSpec& machine, const FabricMapping& mapping,
                                    const FabricShape& shape);

/// Which buffer keeps the tile from being larger, and which block the time.
[[nodiscard]] std::string what_bounds(const FabricSpec& machine, const MapSearch& search,
                                      const FabricMapping& mapping);

/// In one line: "B outer, tile of 512 columns, arrays 16 x 128".
[[nodiscard]] std::string in_short(const FabricMapping& mapping);

/// An entry of dataflow.mappings.
[[nodiscard]] ConfigTree to_config(const FabricMappingChoice& choice);

}  // namespace lacuna
