// SPDX-License-Identifier: Apache-2.0
#include "arch/description/price_spec.hpp"

namespace lacuna::description {

PriceSpec price_spec(const Machine& machine) {
  PriceSpec out;
  out.accelergy = {machine.prices.ert, machine.prices.art, machine.prices.names};
  out.cells = machine.prices.cells;
  for (const Level& level : machine.levels) {
    LevelPrice price{level.sram, level.wire_mm, {}};
    for (const Link& link : machine.links) {
      if (link.to == level.name) price.link_mm = link.length_mm;
    }
    out.levels.push_back(price);
  }
  return out;
}

}  // namespace lacuna::description
