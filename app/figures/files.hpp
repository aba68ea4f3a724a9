// SPDX-License-Identifier: Apache-2.0
// What every figure leaves behind.
#pragma once

#include <string>
#include <vector>

#include "app/figures/overbooking.hpp"

namespace lacuna {

/// The files that write_figure() leaves.
[[nodiscard]] std::vector<std::string> figure_files(const std::string& name);

/// <name>.csv, .gp, .txt and the pictures in the folder of the arguments, which it commits; prints
/// the text.
int write_figure(const FigureArguments& arguments, const std::string& name, const std::string& csv,
                 const std::string& script, const std::string& text);

}  // namespace lacuna
