// SPDX-License-Identifier: Apache-2.0
// How logic energy and area move between technology nodes when a table has no figures of its own.
#pragma once

#include <string>
#include <vector>

namespace lacuna {

/// Dynamic-energy factor from one node to another at supply `vdd`: P_to(V) / P_from(V) with
/// P = a V^2 + b V + c, the fit of Stillmaker and Baas, Integration 58 (2017), as used by the
/// Accelergy library plug-in, whose default V is 0.8. Published for 130, 90, 65, 45, 32, 20, 16,
/// 14, 10 and 7 nm; any other node, and a vdd at which a fit is not positive, is an InputError.
[[nodiscard]] double node_energy_factor(unsigned from_nm, unsigned to_nm, double vdd);

/// Area factor. Published for 45 -> 65 nm (1.5) and 65 -> 45 nm (0.66); any other pair is
/// (to/from)^2 and `flags` says so (inferred).
[[nodiscard]] double node_area_factor(unsigned from_nm, unsigned to_nm,
                                      std::vector<std::string>& flags);

}  // namespace lacuna
