// SPDX-License-Identifier: Apache-2.0
// What a machine says of prices beside its parts: files that replace the table's, the cells of its
// SRAM, how its levels are built and how long the wires between them are. From its description:
// arch/description/price_spec.hpp.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "arch/energy/ert.hpp"
#include "arch/energy/sram_grid.hpp"

namespace lacuna {

struct LevelPrice {
  std::optional<SramPorts> ports;  // of each bank; left out, as the machine's class has them
  std::optional<double> wire_mm;   // between its port and its memories side by side
  std::optional<double> link_mm;   // of the link that leads into it
};

struct PriceSpec {
  AccelergyFiles accelergy;
  std::string cells;               // of SRAM; empty: as the table says
  std::vector<LevelPrice> levels;  // from memory to compute

  [[nodiscard]] LevelPrice level(std::size_t i) const {
    return i < levels.size() ? levels[i] : LevelPrice{};
  }
};

}  // namespace lacuna
