// SPDX-License-Identifier: Apache-2.0
// `lacuna figure overbooking`: runs the recipe of study/overbooking/points.hpp.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace lacuna {

class StagedFolder;

struct FigureArguments {
  std::string matrices;  // folder
  std::string out;
  std::vector<std::string> settings;  // for every machine
  std::vector<std::string> only;      // workloads by name; empty: all
  unsigned jobs = 1;                  // workloads at once, each in a process of its own
  double limit_s = 60;                // processor seconds that one point may take
  std::uint64_t edge = 1024;          // of the sparsity sweep's products
  StagedFolder* folder = nullptr;     // claimed for the figure
};

/// The files that it leaves.
[[nodiscard]] std::vector<std::string> overbooking_names();

[[nodiscard]] int figure_overbooking(const FigureArguments& arguments);

}  // namespace lacuna
