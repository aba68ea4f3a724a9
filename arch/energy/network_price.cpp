// SPDX-License-Identifier: Apache-2.0
#include "arch/energy/network_price.hpp"

#include <cmath>

#include "arch/energy/logic.hpp"

namespace lacuna {
namespace {

constexpr double kSwitchBits = 32;  // of the row

/// Depth of a tree of 1-to-4 switches.
unsigned depth_to(std::uint64_t outputs) {
  unsigned depth = 0;
  for (std::uint64_t reached = 1; reached < outputs; reached *= 4) ++depth;
  return depth;
}

}  // namespace

ComponentEnergy link_component(const EnergyTable& table, const std::string& name,
                               const LinkShape& shape, double clock_ns, std::uint64_t count) {
  const bool bounded = std::isfinite(shape.bytes_per_cycle);
  const double bits = bounded ? 8 * shape.bytes_per_cycle : 0;
  const double stages = static_cast<double>(shape.latency) + 1;
  const double depth = depth_to(shape.outputs);
  const UnitCost bit = unit_cost(table, "register", 1, clock_ns).times(stages);
  UnitCost node = unit_cost(table, "crossbar", static_cast<unsigned>(kSwitchBits), clock_ns)
                      .times(depth / kSwitchBits);
  if (depth == 0) node.flags.clear();
  UnitCost all = bit;
  all += node;
  UnitCost byte = all.times(8);
  byte += wire_cost(table, 8, shape.length_mm * 1000);
  byte.area = all.area * bits;
  byte.leakage_mw = all.leakage_mw * bits;
  auto component =
      unit_component(name, "link", "byte", byte,
                     fmt::format("{:.4g} bits over {:.3g} mm, {} registers, switches {} deep to {}",
                                 bits, shape.length_mm, stages, depth, shape.outputs),
                     count);
  component.standing = "computed; length inferred where the machine does not say it";
  if (!bounded) add_flags(component.flags, {"not priced: area of a link that is not bounded"});
  return component;
}

double link_length_mm(const ComponentSet& set) {
  double um2 = 0;
  for (const auto& component : set.components) {
    if (component.component_class == "dram") continue;
    um2 += component.area.count() * static_cast<double>(component.count);
  }
  return std::sqrt(um2) * 1e-3 / 2;
}

}  // namespace lacuna
