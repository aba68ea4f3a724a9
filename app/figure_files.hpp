// SPDX-License-Identifier: Apache-2.0
// What every figure leaves behind.
#pragma once

#include <string>

#include "app/figure_overbooking.hpp"

namespace lacuna {

/// <name>.csv, .gp, .txt and the pictures in the folder of the arguments; prints the text.
int write_figure(const FigureArguments& arguments, const std::string& name, const std::string& csv,
                 const std::string& script, const std::string& text);

}  // namespace lacuna
