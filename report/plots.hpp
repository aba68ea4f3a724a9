// SPDX-License-Identifier: Apache-2.0
// Figures of a result: a table and a gnuplot script (5.4 or later) that draws it as SVG and PNG.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "run/result.hpp"

namespace lacuna::report {

struct Figure {
  std::string name;    // of its files: <name>.csv, <name>.gp, and <name>.svg, <name>.png when drawn
  std::string csv;     // what it draws, one of the long tables of csv.hpp
  std::string script;  // reads <name>.csv beside it; empty when there is nothing to draw
};

/// energy, traffic, occupancy, pe_load and stalls. Names are shown as they are, whatever characters
/// they hold.
[[nodiscard]] std::vector<Figure> figures(const std::vector<RunResult>& results);

/// Of the figures of a run, with those of operations or without.
[[nodiscard]] std::vector<std::string> figure_names(bool operations);

struct Rendered {
  std::vector<std::string> files;     // drawn, with their extension
  std::vector<std::string> warnings;  // what gnuplot complained about, by script
  std::string note;                   // when gnuplot is not installed: how to draw later
};

/// Runs gnuplot on every .gp of the folder, in it. A picture that did not become whole is removed
/// and warned about; never throws for what gnuplot does, only when the user wants an end.
[[nodiscard]] Rendered render_plots(const std::filesystem::path& folder);

}  // namespace lacuna::report
