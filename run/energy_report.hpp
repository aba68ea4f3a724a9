// SPDX-License-Identifier: Apache-2.0
// Energy as results have it.
#pragma once

#include <string>

#include "arch/energy/account.hpp"
#include "arch/energy/energy_table.hpp"
#include "run/result.hpp"

namespace lacuna {

/// What was counted; leakage comes with the time (charge_static()).
[[nodiscard]] EnergyReport report_energy(const EnergyAccount& account);

/// What the machine takes all the time, in pJ: leakage, background and refresh of memory.
[[nodiscard]] double static_picojoules(const EnergyReport& energy, double seconds);

/// Puts the result's time into its energy, in place of what was put there before: a sum of
/// operations has a time of its own.
void charge_static(RunResult& result);

/// By name or path, shipped ones too. Throws InputError.
[[nodiscard]] EnergyTable load_energy_table(const std::string& name);

}  // namespace lacuna
