// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace lacuna {

/// Where shipped configurations may lie, nearest first: LACUNA_CONFIGS, the source tree this binary
/// was built from, the installed share folder.
[[nodiscard]] std::vector<std::filesystem::path> config_folders();

/// `name` as a file, or the shipped file of that name: "extensor-ob" is
/// configs/arch/extensor-ob.yaml. `kind` is the folder below configs ("arch"). Throws InputError
/// with the nearest shipped name.
[[nodiscard]] std::filesystem::path find_config(const std::string& kind, const std::string& name);

/// Names of the shipped files of a kind, sorted, without their ending.
[[nodiscard]] std::vector<std::string> shipped(const std::string& kind);

}  // namespace lacuna
