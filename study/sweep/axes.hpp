// SPDX-License-Identifier: Apache-2.0
// The axes of a sweep as its file says them: values or a range, keys that move together, what each
// step loses.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "study/sweep/spec.hpp"

namespace lacuna {

/// A list of axes; those of workloads come first. Throws InputError with file, line and field.
[[nodiscard]] std::vector<SweepAxis> read_axes(const ConfigTree& tree);
[[nodiscard]] SweepAxis read_axis(ConfigTree tree);

/// Takes an entry out of a mapping, for what is not read key by key.
[[nodiscard]] ConfigTree take(ConfigTree& mapping, std::string_view key);
/// Throws InputError where there is no list, or an empty one.
[[nodiscard]] const std::vector<ConfigTree>& list_of(const ConfigTree& tree,
                                                     const std::string& field,
                                                     const std::string& hint);
[[noreturn]] void fail_at(const ConfigTree& tree, const std::string& field,
                          const std::string& problem, const std::string& hint);

/// A value as a setting's text takes it.
[[nodiscard]] std::string flow_text(const ConfigTree& tree);

[[nodiscard]] bool is_of_workload(const SweepSetting& setting);
/// Without what says so: "workload.a" is "a".
[[nodiscard]] std::string key_of_workload(const SweepSetting& setting);

}  // namespace lacuna
