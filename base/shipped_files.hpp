// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/config.hpp"

namespace lacuna {

/// Where data that ships may lie, nearest first, of those that are there: what the environment
/// `variable` names, `in_source` of the tree this binary was built from, `in_share` of the
/// installed share folder. The one place that knows the checkout.
[[nodiscard]] std::vector<std::filesystem::path> data_folders(const char* variable,
                                                              const std::string& in_source,
                                                              const std::string& in_share);

/// Where shipped configurations may lie: LACUNA_CONFIGS first.
[[nodiscard]] std::vector<std::filesystem::path> config_folders();

/// `name` as a file, or the shipped file of that name: "extensor-ob" is
/// configs/arch/extensor-ob.yaml. `kind` is the folder below configs ("arch"). Throws InputError
/// with the nearest shipped name.
[[nodiscard]] std::filesystem::path find_config(const std::string& kind, const std::string& name);

/// find_config(), read, with settings (`--set`) applied; what its file `extends:` may be a shipped
/// file of the kind too.
[[nodiscard]] ConfigTree load_config(const std::string& kind, const std::string& name,
                                     const std::vector<std::string>& settings = {});
/// A file that was found otherwise, likewise.
[[nodiscard]] ConfigTree load_config_file(const std::string& kind,
                                          const std::filesystem::path& file);

/// Names of the shipped files of a kind, sorted, without their ending.
[[nodiscard]] std::vector<std::string> shipped(const std::string& kind);

}  // namespace lacuna
