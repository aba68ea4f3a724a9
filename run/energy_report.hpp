// SPDX-License-Identifier: Apache-2.0
// Energy as results have it.
#pragma once

#include <string>

#include "arch/energy/account.hpp"
#include "arch/energy/energy_table.hpp"
#include "run/result.hpp"

namespace lacuna {

[[nodiscard]] EnergyReport report_energy(const EnergyAccount& account);

/// By name or path, shipped ones too. Throws InputError.
[[nodiscard]] EnergyTable load_energy_table(const std::string& name);

}  // namespace lacuna
