// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/energy/component.hpp"
#include "arch/energy/energy_table.hpp"
#include "tests/catch.hpp"

namespace lacuna::test {

inline std::filesystem::path energy_folder() {
  return source_dir() / "configs" / "energy";
}

inline const EnergyTable& table_45() {
  static const EnergyTable table = EnergyTable::load(energy_folder() / "45nm.yaml");
  return table;
}

inline const EnergyTable& table_65() {
  static const EnergyTable table = EnergyTable::load(energy_folder() / "65nm.yaml");
  return table;
}

/// Equal but for rounding.
inline auto near(double value) {
  return Approx(value).epsilon(1e-9);
}

inline double pj(const ComponentSet& set, const char* component, const char* action) {
  return set.at(component).energy(action).count();
}

}  // namespace lacuna::test
