// SPDX-License-Identifier: Apache-2.0
// Published products of machines that take explicit nonzeros beside ours.
#pragma once

#include <filesystem>
#include <vector>

#include "study/published/comparison.hpp"

namespace lacuna {

/// Runs the machine of a published series on its matrix; a line for each number. Throws InputError.
[[nodiscard]] std::vector<validation::Comparison> run_and_compare(
    const validation::PublishedRun& published, const std::filesystem::path& matrix);

}  // namespace lacuna
